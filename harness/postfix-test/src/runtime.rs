//! Where the work is done: a runtime of this crate's own, so that callers may have any or none.

use std::future::Future;
use std::sync::{LazyLock, mpsc};

use tokio::runtime::{Builder, Runtime};

use crate::Error;

/// Lives until the process ends, and so do the leases on every Postfix in use: nothing hangs on a destructor.
static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("postfix-test")
        .enable_all()
        .build()
});

/// Does `work` and waits for it as a future that needs no runtime of the caller's.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let spawned = RUNTIME.as_ref().map(|runtime| runtime.spawn(work));
    match spawned {
        Ok(task) => task.await.unwrap_or_else(|failed| {
            Err(Error::broken(format!(
                "a fault of postfix-test itself: {failed}"
            )))
        }),
        Err(error) => Err(Error::broken(format!("no runtime: {error}"))),
    }
}

/// Does `work` and blocks the calling thread until then, which may be one of a runtime of the caller's.
pub(crate) fn block<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let runtime = match RUNTIME.as_ref() {
        Ok(runtime) => runtime,
        Err(error) => return Err(Error::broken(format!("no runtime: {error}"))),
    };
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        let _ = sender.send(work.await);
    });
    receiver
        .recv()
        .unwrap_or_else(|_| Err(Error::broken("a fault of postfix-test itself: see above")))
}
