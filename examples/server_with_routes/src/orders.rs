//! The team's routes. They hold orders in memory; a real service has its own database.

use std::sync::{Mutex, PoisonError};

use actix_web::{
    HttpResponse, Responder, get, post,
    web::{Data, Json},
};
use bearward::{AuthError, NoCustomClaims, Principal, Require, Requirement, Verified};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The section `[app]` of the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    #[serde(default = "default_menu")]
    menu: String,
}

fn default_menu() -> String {
    "soup, bread".to_owned()
}

/// The state that all workers share.
pub struct Orders {
    menu: String,
    orders: Mutex<Vec<Order>>,
}

impl Orders {
    pub fn new(settings: Settings) -> Self {
        Self {
            menu: settings.menu,
            orders: Mutex::default(),
        }
    }

    fn find(&self, is_included: impl Fn(&Order) -> bool) -> Vec<Order> {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders
            .iter()
            .filter(|order| is_included(order))
            .cloned()
            .collect()
    }
}

/// An order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Order {
    #[serde(skip)]
    customer: (String, String),
    item: String,
    quantity: u8,
}

/// A new order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    item: String,
    quantity: u8,
}

/// The staff of the restaurant.
pub struct Staff;

impl Requirement for Staff {
    type Claims = NoCustomClaims;

    fn check(user: &Verified) -> Result<(), AuthError> {
        user.require_role("staff")
    }
}

/// Get the menu
#[utoipa::path(get, path = "/menu", operation_id = "menu", tag = "orders", security(()), responses((status = 200, description = "The menu", body = String)))]
#[get("/menu")]
pub async fn menu(orders: Data<Orders>) -> impl Responder {
    orders.menu.clone()
}

/// List the caller's orders
#[utoipa::path(get, path = "/orders", operation_id = "listOrders", tag = "orders", responses((status = 200, description = "The caller's orders", body = [Order])))]
#[get("/orders")]
pub async fn list(user: Principal, orders: Data<Orders>) -> impl Responder {
    let customer = customer(&user);
    Json(orders.find(|order| order.customer == customer))
}

/// Add an order
#[utoipa::path(post, path = "/orders", operation_id = "addOrder", tag = "orders", request_body = NewOrder, responses((status = 201, description = "The new order", body = Order)))]
#[post("/orders")]
pub async fn add(user: Principal, orders: Data<Orders>, order: Json<NewOrder>) -> impl Responder {
    let NewOrder { item, quantity } = order.into_inner();
    let order = Order {
        customer: customer(&user),
        item,
        quantity,
    };
    let mut orders = orders.orders.lock().unwrap_or_else(PoisonError::into_inner);
    orders.push(order.clone());
    HttpResponse::Created().json(order)
}

/// List all orders
#[utoipa::path(get, path = "/staff/orders", operation_id = "listAllOrders", tag = "orders", responses((status = 200, description = "All orders", body = [Order])))]
#[get("/staff/orders")]
pub async fn all(_staff: Require<Staff>, orders: Data<Orders>) -> impl Responder {
    Json(orders.find(|_| true))
}

/// Users are identified by issuer and subject together: a subject is unique within its issuer only.
fn customer(user: &Principal) -> (String, String) {
    (user.issuer().to_owned(), user.subject().to_owned())
}
