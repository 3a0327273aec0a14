//! Who goes when, in milliseconds of virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Who waits with which weight from when on; who goes when, in milliseconds.
async fn check(interval: Option<Duration>, arrivals: &[(&'static str, u64, u64)], expect: &[(&str, u64)]) {
    let started = Instant::now();
    let pacer = Arc::new(Pacer::new(interval));
    let gone = Arc::new(Mutex::new(Vec::new()));
    let waiters: Vec<_> = arrivals
        .iter()
        .map(|&(name, weight, at)| {
            let (pacer, gone) = (Arc::clone(&pacer), Arc::clone(&gone));
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(at)).await;
                pacer.turn(Duration::from_secs(weight)).await.send();
                gone.lock().unwrap().push((name, started.elapsed().as_millis()));
            })
        })
        .collect();
    for waiter in waiters {
        waiter.await.unwrap();
    }
    let expect: Vec<_> = expect.iter().map(|&(name, at)| (name, u128::from(at))).collect();
    assert_eq!(*gone.lock().unwrap(), expect);
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_and_the_weightiest_first() {
    let crowd = [("light", 1, 0), ("late", 1, 100), ("heavy", 9, 100), ("middle", 5, 100)];
    check(Some(SECOND), &crowd, &[("light", 0), ("heavy", 1000), ("middle", 2000), ("late", 3000)]).await;
    // Of equals, whoever came first.
    check(Some(SECOND), &[("b", 1, 0), ("a", 1, 0), ("c", 1, 10)], &[("b", 0), ("a", 1000), ("c", 2000)]).await;
    // Nobody waits after a pause.
    check(Some(SECOND), &[("one", 1, 0), ("two", 1, 5000)], &[("one", 0), ("two", 5000)]).await;
    check(None, &[("a", 1, 0), ("b", 9, 0)], &[("a", 0), ("b", 0)]).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_holds_nobody_up() {
    let started = Instant::now();
    let pacer = Arc::new(Pacer::new(Some(SECOND)));
    pacer.turn(SECOND).await.send();
    // The next in the queue gives up waiting; somebody who had a turn does not use it.
    let heavy = tokio::time::timeout(SECOND / 2, pacer.turn(9 * SECOND));
    let (heavy, light) = tokio::join!(heavy, pacer.turn(SECOND));
    assert!(heavy.is_err());
    assert_eq!(started.elapsed().as_millis(), 1000);
    drop(light);
    pacer.turn(SECOND).await.send();
    assert_eq!(started.elapsed().as_millis(), 1000);
    // A turn that is taken and not yet used keeps the next waiting.
    let (first, second) = tokio::join!(
        async {
            let turn = pacer.turn(9 * SECOND).await;
            tokio::time::sleep(3 * SECOND).await;
            turn.send();
            started.elapsed()
        },
        async {
            pacer.turn(SECOND).await.send();
            started.elapsed()
        }
    );
    assert_eq!((first.as_millis(), second.as_millis()), (5000, 6000));
}
