//! The key cache over real HTTP, against the test kit's identity provider.

use bearward::{Bearward, testing::MockIdp};

#[tokio::test]
async fn a_token_of_the_mock_idp_is_accepted_and_its_forgeries_are_refused() {
    let idp = MockIdp::start().await;
    let auth = Bearward::builder().issuer(idp.as_issuer()).build().await.unwrap();
    let user = auth.verify(&idp.token().sub("user-1").role("admin").sign()).await.unwrap();
    assert_eq!(user.subject(), "user-1");
    assert!(user.has_role("admin"));
    for forged in bearward::testing::FORGERIES {
        let token = idp.token().forged(forged).unwrap();
        assert!(auth.verify(&token).await.is_err(), "{forged}");
    }
    assert_eq!(auth.verify(&idp.token().expired().sign()).await.unwrap_err().rejection.code(), "TOKEN_EXPIRED");
    assert_eq!(idp.fetches(), 1);
    idp.rotate();
    assert!(auth.verify(&idp.token().sign()).await.is_ok());
    assert_eq!(idp.fetches(), 2);
}
