//! What only a real listener shows: half-open connections, pipelines, the stop.

use crate::world::{World, tile};
use sen_catalog::Store;
use sen_tiler::{ServeOptions, serve};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Running {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) task: JoinHandle<sen_catalog::Result<()>>,
}

pub(crate) async fn run(world: &World, options: ServeOptions) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let (store, assets) = (Arc::clone(&world.store) as Arc<dyn Store>, world.assets.clone());
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serve(listener, store, assets, &options, stopped).await
    });
    Running { address, stop, task }
}

pub(crate) async fn ask(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("read");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_half_open_connections_block_nobody_and_are_closed() {
    let world = World::rice().await;
    let running = run(
        &world,
        ServeOptions {
            header_timeout_s: 1,
            ..ServeOptions::default()
        },
    )
    .await;
    let mut idle = Vec::new();
    for index in 0..100 {
        let mut stream = TcpStream::connect(running.address).await.expect("connected");
        if index % 2 == 0 {
            stream
                .write_all(b"GET /ndvi HTTP/1.1\r\nhost: ")
                .await
                .expect("sent");
        }
        idle.push(stream);
    }
    let started = Instant::now();
    let answer = ask(running.address, &format!("/ndvi/{}", tile(14))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        started.elapsed() < Duration::from_millis(900),
        "{:?}",
        started.elapsed()
    );
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for stream in &mut idle {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "a half-open connection is still open");
    }
    drop(running.stop);
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_places_are_enough_when_they_are_given_back() {
    let world = World::rice().await;
    let running = run(
        &world,
        ServeOptions {
            max_connections: 2,
            header_timeout_s: 1,
            ..ServeOptions::default()
        },
    )
    .await;
    let _first = TcpStream::connect(running.address).await.expect("connected");
    let _second = TcpStream::connect(running.address).await.expect("connected");
    // both places are taken by silence; the third waits until they are closed
    let answer = tokio::time::timeout(Duration::from_secs(5), ask(running.address, "/health")).await;
    assert!(answer.expect("in time").ends_with("OK"));
    drop(running.stop);
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_http_are_refused_and_the_rest_goes_on() {
    let world = World::rice().await;
    let running = run(&world, ServeOptions::default()).await;
    let long = [
        b"GET /a?",
        vec![b'b'; 66_000].as_slice(),
        b" HTTP/1.1\r\nhost: x\r\n\r\n",
    ]
    .concat();
    let many = (0..150)
        .map(|number| format!("a{number}: b\r\n"))
        .collect::<Vec<_>>()
        .concat();
    let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
    for (junk, status) in [
        (&b"GET /\xff\xfe HTTP/1.1\r\n\r\n"[..], "400"),
        (b"GET / HTTP/9.9\r\n\r\n", "400"),
        (b"\0\0\0\0\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nho st: x\r\n\r\n", "400"),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            "400",
        ),
        (&long, "414"),
        (many.as_bytes(), "431"),
        (b"\x16\x03\x01\x02\x00", "400"),
    ] {
        let mut stream = TcpStream::connect(running.address).await.expect("connected");
        stream.write_all(junk).await.expect("sent");
        let mut answer = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await;
        read.expect("in time").expect("a status line");
        let line = String::from_utf8_lossy(&answer);
        assert_eq!(
            line,
            format!("HTTP/1.1 {status}"),
            "{}",
            String::from_utf8_lossy(&junk[..junk.len().min(40)])
        );
    }
    let mut stream = TcpStream::connect(running.address).await.expect("connected");
    stream.write_all(b"GET /health?x=%ff HTTP/1.1\r\nhost: a\r\n\r\nGET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    assert_eq!(
        answer.matches("HTTP/1.1 ").count(),
        2,
        "a pipeline of two: {answer}"
    );
    drop(running.stop);
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_idle_connections_at_once() {
    let world = World::rice().await;
    let running = run(&world, ServeOptions::default()).await;
    let mut idle = TcpStream::connect(running.address).await.expect("connected");
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("sent");
    let mut buffer = [0; 1024];
    assert!(idle.read(&mut buffer).await.expect("answered") > 0);
    let started = Instant::now();
    running.stop.send(()).expect("listening");
    running.task.await.expect("ended").expect("cleanly");
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    assert!(
        TcpStream::connect(running.address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tile_from_memory_is_the_tile_that_was_drawn() {
    let world = World::rice().await;
    let running = run(&world, ServeOptions::default()).await;
    let path = format!("/ndvi/{}?datetime=2026-W33", tile(14));
    let part = |answer: &str, name: &str| {
        let line = answer
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
            .to_owned();
        line.split_once(": ").map(|(_, value)| value.to_owned())
    };
    let drawn = ask(running.address, &path).await;
    let kept = ask(running.address, &path).await;
    assert!(
        part(&drawn, "server-timing").is_some_and(|timing| timing.starts_with("draw")),
        "{drawn}"
    );
    assert_eq!(part(&kept, "server-timing").as_deref(), Some("cache;desc=hit"));
    for name in [
        "content-type",
        "content-length",
        "etag",
        "sen-period",
        "cache-control",
        "vary",
        "access-control-allow-origin",
        "access-control-expose-headers",
    ] {
        assert_eq!(part(&kept, name), part(&drawn, name), "{name}");
        assert!(part(&kept, name).is_some(), "{name}");
    }
    assert_ne!(part(&kept, "x-request-id"), part(&drawn, "x-request-id"));
    let body = |answer: &str| answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    assert_eq!(body(&kept), body(&drawn));
    let etag = part(&kept, "etag").expect("a validator");
    let conditional = ask(
        running.address,
        &format!("{path} HTTP/1.1\r\nif-none-match: {etag}\r\nx:"),
    )
    .await;
    assert!(conditional.starts_with("HTTP/1.1 304"), "{conditional}");
    // a late scene is seen although the old tile is in memory
    world.put_ndvi(crate::world::week("2026-W33"), 9000).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let fresh = ask(running.address, &path).await;
    assert_ne!(part(&fresh, "etag"), part(&drawn, "etag"));
    drop(running.stop);
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_says_nothing_about_the_address_and_slashes_run_together() {
    let world = World::rice().await;
    for (proxies, address) in [
        ("127.0.0.1", "http://evil.example:8443/"),
        ("10.0.0.0/8", "http://a/"),
    ] {
        let trusted_proxies = vec![proxies.to_owned().try_into().expect("a network")];
        let running = run(
            &world,
            ServeOptions {
                trusted_proxies,
                ..ServeOptions::default()
            },
        )
        .await;
        let mut stream = TcpStream::connect(running.address).await.expect("connected");
        let request = "GET //ndvi?datetime=2026-W34 HTTP/1.1\r\nhost: a\r\nx-forwarded-host: evil.example\r\n\
                       x-forwarded-port: 8443\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        assert!(
            answer.contains(&format!("\"tiles\":[\"{address}ndvi/")),
            "{proxies}: {answer}"
        );
        for path in ["//catalog", "/api/v1//zones", &format!("//ndvi//{}", tile(14))] {
            let answer = ask(running.address, path).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        }
        drop(running.stop);
        running.task.await.expect("ended").expect("cleanly");
    }
}
