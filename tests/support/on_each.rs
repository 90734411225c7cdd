//! One macro for suites that run against several adapters.

/// Creates a module for each adapter, with one test for each sentence of a contract.
///
/// The first block names the adapters, each with an expression that opens a fixture: an `Option`, because a server may be
/// unavailable, in which case the test is skipped. The second block lists the arguments to take from the fixture, and then
/// the sentences: functions with these parameters.
macro_rules! on_each {
    ({ $($adapter:ident: $open:expr;)+ } $sentences:tt) => {
        $($crate::support::on_each!(@adapter $adapter, $open, $sentences);)+
    };
    (@adapter $adapter:ident, $open:expr, {
        $(|$fixture:ident| $arguments:tt [$($sentence:ident),+ $(,)?])+
    }) => {
        mod $adapter {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $sentence() {
                    let Some($fixture) = $open else { return };
                    super::$sentence $arguments .await;
                }
            )+)+
        }
    };
}

pub(crate) use on_each;
