//! Overload, slow clients and who may do what before anything is spent on it.

use crate::sockets::{ask, run};
use crate::world::{World, tile};
use axum::http::Method;
use sen_tiler::{MetricsAccess, ServeOptions};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A picture of four million pixels, another for each number.
fn picture(number: usize) -> String {
    let west = 105.62 - number as f64 * 1e-6;
    format!("/style/ndvi/static/{west},10.45,105.645,10.47/2048x2048.png?datetime=2026-W33")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_pictures_is_sent_away_and_starves_nobody() {
    let world = World::rice().await;
    let running = run(&world, ServeOptions::default()).await;
    let address = running.address;
    let calm = Instant::now();
    assert!(ask(address, &picture(0)).await.starts_with("HTTP/1.1 200"));
    let calm = calm.elapsed();
    let flood: Vec<_> = (1..200)
        .map(|number| {
            tokio::spawn(async move {
                let asked = Instant::now();
                let answer = ask(address, &picture(number)).await;
                (answer, asked.elapsed())
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let beside = Instant::now();
    let answer = ask(address, &format!("/ndvi/{}?datetime=2026-W32", tile(13))).await;
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "a tile that is not in memory: {answer}"
    );
    assert!(ask(address, "/ready").await.ends_with("OK"));
    assert!(
        beside.elapsed() < Duration::from_secs(2),
        "{:?}",
        beside.elapsed()
    );
    let (mut served, mut refused) = (0, 0);
    for one in flood {
        let (answer, took) = one.await.expect("answered");
        if answer.starts_with("HTTP/1.1 503") {
            assert!(
                answer.contains("\r\nretry-after: ") && answer.contains("\"busy\""),
                "{answer}"
            );
            refused += 1;
        } else {
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(
                took < calm * 20 + Duration::from_secs(1),
                "calm {calm:?}, in the flood {took:?}"
            );
            served += 1;
        }
    }
    assert!(
        served >= 2 && refused >= 100,
        "served {served}, refused {refused}"
    );
    let counters = ask(address, "/_/metrics").await;
    assert!(
        counters.contains(&format!("sen_class_refused{{class=\"pictures\"}} {refused}")),
        "{counters}"
    );
    assert!(
        counters.contains("sen_class_running{class=\"pictures\"} 0"),
        "all places came back: {counters}"
    );
    assert!(
        counters.contains("sen_answer_bytes 0"),
        "and all bytes: {counters}"
    );
    drop(running.stop);
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_asked_for_before_the_body() {
    let world = World::rice().await;
    let running = run(&world, ServeOptions::default()).await;
    for key in ["", "authorization: Bearer wrong\r\n"] {
        let mut stream = TcpStream::connect(running.address).await.expect("connected");
        let head = format!(
            "POST /sta/v1.1/Observations HTTP/1.1\r\nhost: a\r\n{key}content-length: 16000000\r\n\r\n["
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut answer = [0; 2048];
        let read = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut answer)).await;
        let read = read
            .expect("at once, though the body is still to come")
            .expect("read");
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    drop(running.stop);
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_do_not_come_take_no_place() {
    let world = World::rice().await;
    let running = run(&world, ServeOptions::default()).await;
    let mut slow = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(running.address).await.expect("connected");
        let head = "POST /api/v1/zonal?collection=ndvi HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    let polygon =
        r#"{"type":"Polygon","coordinates":[[[105.62,10.45],[105.64,10.45],[105.64,10.47],[105.62,10.45]]]}"#;
    let request = format!(
        "POST /api/v1/zonal?collection=ndvi HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{polygon}",
        polygon.len()
    );
    let mut stream = TcpStream::connect(running.address).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // longer than is taken: said from the head alone
    let mut stream = TcpStream::connect(running.address).await.expect("connected");
    let head = "POST /api/v1/zonal?collection=ndvi HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).await.expect("read");
    assert!(answer[..read].starts_with(b"HTTP/1.1 413"));
    drop((slow, stream, running.stop));
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_kept_longer_than_a_slow_head() {
    let world = World::rice().await;
    let options = ServeOptions {
        header_timeout_s: 1,
        keep_alive_s: 4,
        ..ServeOptions::default()
    };
    let running = run(&world, options).await;
    let mut idle = TcpStream::connect(running.address).await.expect("connected");
    let mut buffer = [0; 1024];
    for _ in 0..2 {
        idle.write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .expect("sent");
        let read = idle.read(&mut buffer).await.expect("answered");
        assert!(
            buffer[..read].starts_with(b"HTTP/1.1 200"),
            "still open after 2 s of silence"
        );
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    // the head of the next request has its second, not what is left of the silence
    idle.write_all(b"GET /health HTT").await.expect("sent");
    let begun = Instant::now();
    let closed = tokio::time::timeout(Duration::from_secs(3), idle.read(&mut buffer)).await;
    assert!(closed.is_ok(), "a slow head is cut off");
    assert!(
        begun.elapsed() > Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );
    let mut silent = TcpStream::connect(running.address).await.expect("connected");
    silent
        .write_all(b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .expect("sent");
    let _ = silent.read(&mut buffer).await.expect("answered");
    let closed = tokio::time::timeout(Duration::from_secs(6), silent.read(&mut buffer)).await;
    assert!(
        matches!(closed, Ok(Ok(0) | Err(_))),
        "closed after its four seconds"
    );
    drop(running.stop);
    running.task.await.expect("ended").expect("cleanly");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_are_for_this_machine_unless_the_settings_say_otherwise() {
    let status = |answer: String| answer.get(9..12).unwrap_or_default().to_owned();
    for (metrics, plain, forwarded) in [
        (MetricsAccess::Loopback, "200", "403"),
        (MetricsAccess::Key, "401", "401"),
        (MetricsAccess::Open, "200", "200"),
    ] {
        let world = World::rice().await;
        let running = run(
            &world,
            ServeOptions {
                metrics,
                ..ServeOptions::default()
            },
        )
        .await;
        assert_eq!(
            status(ask(running.address, "/_/metrics").await),
            plain,
            "{metrics:?}"
        );
        for header in [
            "x-forwarded-for: 203.0.113.9",
            "forwarded: for=203.0.113.9",
            "via: 1.1 proxy",
        ] {
            let path = format!("/_/metrics HTTP/1.1\r\n{header}\r\nx:");
            assert_eq!(
                status(ask(running.address, &path).await),
                forwarded,
                "{metrics:?} {header}"
            );
        }
        drop(running.stop);
        running.task.await.expect("ended").expect("cleanly");
    }
}

#[tokio::test]
async fn an_answer_tells_how_long_it_waited() {
    let world = World::rice().await;
    let answer = world.get("/catalog").await;
    let timing = answer.header("server-timing").to_owned();
    assert!(
        timing.starts_with("total;dur=") && timing.contains(", wait;dur="),
        "{timing}"
    );
    let answer = world.ask(Method::HEAD, "/catalog", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}
