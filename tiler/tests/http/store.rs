//! A store that stops answering: what is in memory goes on, the rest says 503.

use crate::world::{World, ask, tile};
use axum::Router;
use axum::http::Method;
use rusqlite::Connection;
use sen_catalog::store::SqliteStore;
use sen_tiler::ServeOptions;
use std::sync::Arc;

/// The catalogue's file, which somebody's hand breaks and mends while it is being served.
struct Moody {
    file: Connection,
}

impl Moody {
    fn broken(&self, broken: bool) {
        let (from, to) = if broken { ("", "_secret") } else { ("_secret", "") };
        for table in ["item", "revision"] {
            let sql = format!("ALTER TABLE {table}{from} RENAME TO {table}{to}");
            self.file.execute_batch(&sql).expect("the table is renamed");
        }
    }
}

async fn moody(refresh_ms: u64) -> (World, Moody, Router) {
    let world = World::rice().await;
    let path = world.folder.path().join("catalog.sqlite");
    let store = SqliteStore::open(&path).expect("opens");
    world.copy_items_to(&store).await;
    let options = ServeOptions {
        refresh_ms,
        ..ServeOptions::default()
    };
    let router = world.behind(Arc::new(store), &options);
    let file = Connection::open(path).expect("opens");
    (world, Moody { file }, router)
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_and_what_is_in_memory_goes_on() {
    let (_world, store, router) = moody(0).await;
    let path = format!("/ndvi/{}?datetime=2026-W33", tile(14));
    assert_eq!(ask(&router, Method::GET, "/ready", &[]).await.status, 200);
    assert_eq!(ask(&router, Method::GET, &path, &[]).await.status, 200);
    store.broken(true);
    assert_eq!(
        ask(&router, Method::GET, &path, &[]).await.status,
        200,
        "known and drawn before"
    );
    for other in [
        format!("/ndvi/{}?datetime=2026-W32", tile(14)),
        "/api/v1/periods/ndvi".into(),
        "/ready".into(),
    ] {
        let answer = ask(&router, Method::GET, &other, &[]).await;
        assert_eq!(answer.status, 503, "{other}");
        assert_eq!(answer.header("retry-after"), "1");
        assert!(
            !String::from_utf8_lossy(&answer.body).contains("secret"),
            "causes stay in the log"
        );
    }
    assert_eq!(ask(&router, Method::GET, "/health", &[]).await.status, 200);
    store.broken(false);
    assert_eq!(
        ask(&router, Method::GET, "/api/v1/periods/ndvi", &[])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_store_that_fails_from_the_start_is_a_503() {
    let (_world, store, router) = moody(0).await;
    store.broken(true);
    for path in [format!("/ndvi/{}", tile(14)), "/ndvi".into(), "/catalog".into()] {
        assert_eq!(ask(&router, Method::GET, &path, &[]).await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn tiles_do_not_ask_the_store_again_and_again() {
    let (_world, store, router) = moody(60_000).await;
    let path = format!("/ndvi/{}", tile(14));
    ask(&router, Method::GET, &path, &[]).await;
    store.broken(true);
    for _ in 0..50 {
        assert_eq!(ask(&router, Method::GET, &path, &[]).await.status, 200);
    }
}
