//! Login roles that bypass row level security are refused.

use bearward::postgres::{Error, ScopedPool, check};

use crate::fixture::Fixture;

#[tokio::test]
async fn login_roles_that_bypass_row_security_are_refused() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.admin(
        "create role bypasses login noinherit bypassrls; create role owner login; create role member login; \
         create role noinherit_member login noinherit; grant anon, authenticated to bypasses, owner, member, noinherit_member; \
         grant owner to member, noinherit_member; alter table todos owner to owner",
    );
    let user = fixture.user(0).await;
    for (login, refused) in [
        ("authenticator", None),
        ("admin", Some("is a superuser")),
        ("bypasses", Some("has BYPASSRLS")),
        ("owner", Some("owns tables")),
        ("member", Some("owns tables")),
        ("noinherit_member", None),
    ] {
        let pool = fixture.pool_as(login, 1);
        let results = [
            user.begin(&pool).await.map(drop),
            user.begin(&pool).await.map(drop),
            fixture
                .maybe_principal(None)
                .await
                .begin(&pool)
                .await
                .map(drop),
            check(&pool).await,
        ];
        for result in results {
            match (result, refused) {
                (Ok(()), None) => {}
                (Err(Error::BypassesRowSecurity { role, problem }), Some(expected)) => {
                    assert_eq!(role, login);
                    assert!(problem.starts_with(expected), "{problem}");
                }
                (result, _) => panic!("{login}: {result:?}"),
            }
        }
    }
    // Once it is corrected, the same pool works.
    let pool = fixture.pool_as("owner", 1);
    assert!(user.begin(&pool).await.is_err());
    fixture.admin("alter table todos force row level security");
    user.begin(&pool).await.unwrap();
}

#[tokio::test]
async fn default_roles_must_not_bypass_row_security() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.admin("create role all_rows bypassrls; grant all_rows to authenticator");
    let user = fixture.principal(fixture.token(0).without("role")).await;
    let pool = || ScopedPool::new(fixture.pool(1));
    let default = pool().default_role("all_rows").unwrap();
    let error = user.begin(&default).await.unwrap_err();
    assert!(
        matches!(error, Error::BypassesRowSecurity { .. }),
        "{error:?}"
    );
    let anonymous = pool().anonymous_role("all_rows").unwrap();
    let error = user.begin(&anonymous).await.unwrap_err();
    assert!(
        matches!(error, Error::BypassesRowSecurity { .. }),
        "{error:?}"
    );
    // A role that was allowed by name may bypass it.
    let allowed = pool().allow_role("all_rows").unwrap();
    user.begin(&allowed).await.unwrap();
    check(&allowed).await.unwrap();
}

#[tokio::test]
async fn check_reports_roles_that_cannot_be_used() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.admin("create role not_granted; create role unrelated login");
    let pool = fixture.pool(1);
    check(&pool).await.unwrap();
    for (role, expected) in [
        ("no_such_role", "does not exist"),
        ("not_granted", "is not granted to the login role"),
    ] {
        let scoped = ScopedPool::new(pool.clone()).allow_role(role).unwrap();
        match check(&scoped).await {
            Err(Error::UnusableRole {
                role: found,
                problem,
            }) => assert_eq!((found.as_str(), problem), (role, expected)),
            result => panic!("{role}: {result:?}"),
        }
    }
    let error = check(&fixture.pool_as("unrelated", 1)).await.unwrap_err();
    assert!(matches!(error, Error::UnusableRole { .. }), "{error:?}");
}
