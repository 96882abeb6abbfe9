//! PostgreSQL accepts the SQL of the documentation, and its policies separate the users.

use std::{fs, path::Path};

use crate::fixture::Fixture;

/// Returns the SQL blocks of a page, by its path from the root of the repository.
fn sql_blocks(page: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join(page)).unwrap();
    let blocks = text.split("```sql\n").skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

#[actix_web::test]
async fn the_table_of_the_page_belongs_to_its_users() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let blocks = sql_blocks("docs/row-level-security.md");
    let [table, _] = &blocks[..] else {
        panic!("a table and a role: {blocks:?}")
    };
    fixture.admin(&format!("drop table todos; {table}"));
    fixture.add_todos(2, 3);
    let claims = r#"{"sub": "00000000-0000-4000-8000-000000000001"}"#;
    let visible = fixture.admin(&format!(
        "set request.jwt.claims = '{claims}'; set role authenticated; select count(*) from todos"
    ));
    assert_eq!(visible.trim(), "3");
}

#[actix_web::test]
async fn the_login_roles_of_the_pages_can_be_created() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    // Roles belong to the server, and the migrations have created this one.
    let page = &sql_blocks("docs/row-level-security.md")[1];
    let readme = &sql_blocks("examples/supabase_rls/README.md")[0];
    for (sql, role) in [(page, "authenticator"), (readme, "backend")] {
        assert!(sql.contains(&format!("create role {role} ")), "{sql}");
        let sql = sql.replace(role, &format!("{role}_of_page"));
        fixture.admin(&format!("begin; {sql} rollback"));
    }
}
