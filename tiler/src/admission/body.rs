//! Bodies: charged to one account as they arrive, and cut off where they stand still.

use super::ledger::{Ledger, Reservation};
use super::pace::{LEAST_RATE, Pace, STILL};
use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long, and for how many bytes, a refused body is still listened to, so that the client hears why.
const LINGER: Duration = Duration::from_secs(5);
const MOST_LINGERED: usize = 16 << 20;

async fn frame(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => return Some(Ok(data)),
            Ok(Err(_)) => {} // trailers
            Err(error) => return Some(Err(error)),
        }
    }
}

/// The whole body, with what the account holds for it.
///
/// # Errors
/// 413 beyond `limit`, 408 where the client is too slow or gone, 503 where the account is full.
pub(super) async fn receive(
    mut body: Body,
    limit: usize,
    account: &Arc<Ledger>,
) -> Result<(Bytes, Reservation), Problem> {
    let too_long = || {
        Problem::too_large(format!(
            "the body is longer than {} MB; send less at once",
            limit >> 20
        ))
    };
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        linger(body);
        return Err(too_long());
    }
    let mut held = account.reserve_anyway(0);
    // pages of it are taken up as they are written to
    let mut bytes: Vec<u8> = Vec::with_capacity(announced as usize);
    let mut pace = Pace::begin(Instant::now());
    loop {
        let next = tokio::time::timeout_at(pace.deadline().into(), frame(&mut body)).await;
        let data = match next {
            Ok(None) => break,
            Ok(Some(Ok(data))) => data,
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "a body ended early");
                return Err(Problem::request_timeout(
                    "the body did not arrive whole; send it again",
                ));
            }
            Err(_) => {
                return Err(Problem::request_timeout(format!(
                    "the body stood still for {} s, or came at less than {} kB/s; send it again, in smaller parts where \
                     the line is slow",
                    STILL.as_secs(),
                    LEAST_RATE / 1000
                )));
            }
        };
        pace.moved(Instant::now(), data.len());
        if bytes.len() + data.len() > limit {
            linger(body);
            return Err(too_long());
        }
        if !held.grow(data.len() as u64) {
            linger(body);
            return Err(Problem::busy());
        }
        bytes.extend_from_slice(&data);
    }
    Ok((Bytes::from(bytes), held))
}

/// Takes in what is left of a body whose request was refused, and forgets it: a client that is still sending would
/// otherwise lose the answer with the connection.
pub(crate) fn linger(mut body: Body) {
    tokio::spawn(async move {
        let all = async {
            let mut taken = 0;
            while let Some(Ok(data)) = frame(&mut body).await {
                taken += data.len();
                if taken > MOST_LINGERED {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, all).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_are_charged_as_they_arrive_and_given_back() {
        let account = Ledger::new(1000);
        let (bytes, held) = receive(Body::from(vec![7; 600]), 800, &account)
            .await
            .expect("fits");
        assert_eq!((bytes.len(), account.held()), (600, 600));
        let refused = receive(Body::from(vec![7; 600]), 800, &account).await;
        assert_eq!(refused.expect_err("the account is full").status(), 503);
        let refused = receive(Body::from(vec![7; 900]), 800, &account).await;
        assert_eq!(refused.expect_err("too long").status(), 413);
        drop(held);
        assert_eq!(account.held(), 0);
    }
}
