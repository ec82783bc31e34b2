//! A store that stops answering: what is in memory goes on, the rest says 503.

use crate::world::{World, ask, tile};
use async_trait::async_trait;
use axum::http::Method;
use sen_catalog::store::MemoryStore;
use sen_catalog::{Error, Item, ItemQuery, Result, Store};
use sen_tiler::ServeOptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[derive(Debug)]
struct Moody {
    inner: Arc<MemoryStore>,
    broken: AtomicBool,
    asked: AtomicUsize,
}

impl Moody {
    fn check(&self) -> Result<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.broken.load(Ordering::Relaxed) {
            Err(Error::Store("/secret/path is locked".into()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Store for Moody {
    async fn put_item(&self, item: &Item) -> Result<()> {
        self.inner.put_item(item).await
    }

    async fn delete_item(&self, collection: &str, id: &str) -> Result<bool> {
        self.inner.delete_item(collection, id).await
    }

    async fn item(&self, collection: &str, id: &str) -> Result<Option<Item>> {
        self.check()?;
        self.inner.item(collection, id).await
    }

    async fn items(&self, query: &ItemQuery) -> Result<Vec<Item>> {
        self.check()?;
        self.inner.items(query).await
    }

    async fn collections(&self) -> Result<Vec<String>> {
        self.check()?;
        self.inner.collections().await
    }

    async fn revision(&self) -> Result<u64> {
        self.check()?;
        self.inner.revision().await
    }
}

async fn moody(refresh_ms: u64) -> (World, Arc<Moody>, axum::Router) {
    let world = World::rice().await;
    let inner = Arc::clone(&world.store);
    let store = Arc::new(Moody {
        inner,
        broken: AtomicBool::new(false),
        asked: AtomicUsize::new(0),
    });
    let options = ServeOptions {
        refresh_ms,
        ..ServeOptions::default()
    };
    let router = world.behind(Arc::clone(&store) as Arc<dyn Store>, &options);
    (world, store, router)
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_and_what_is_in_memory_goes_on() {
    let (_world, store, router) = moody(0).await;
    let path = format!("/ndvi/{}?datetime=2026-W33", tile(14));
    assert_eq!(ask(&router, Method::GET, "/ready", &[]).await.status, 200);
    assert_eq!(ask(&router, Method::GET, &path, &[]).await.status, 200);
    store.broken.store(true, Ordering::Relaxed);
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
    store.broken.store(false, Ordering::Relaxed);
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
    store.broken.store(true, Ordering::Relaxed);
    for path in [format!("/ndvi/{}", tile(14)), "/ndvi".into(), "/catalog".into()] {
        assert_eq!(ask(&router, Method::GET, &path, &[]).await.status, 503, "{path}");
    }
}

#[tokio::test]
async fn tiles_do_not_ask_the_store_again_and_again() {
    let (_world, store, router) = moody(60_000).await;
    let path = format!("/ndvi/{}", tile(14));
    ask(&router, Method::GET, &path, &[]).await;
    let asked = store.asked.load(Ordering::Relaxed);
    for _ in 0..50 {
        assert_eq!(ask(&router, Method::GET, &path, &[]).await.status, 200);
    }
    assert_eq!(store.asked.load(Ordering::Relaxed), asked);
}
