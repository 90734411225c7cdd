//! The facts of the function that this process is, if Lambda started it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The stage of the deployment, from the configuration.
static STAGE: OnceLock<String> = OnceLock::new();

/// True until the first invocation has ended.
static IS_COLD: AtomicBool = AtomicBool::new(true);

/// A function, as logs and metrics name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) stage: &'static str,
    /// True for the first invocation of this process.
    pub(crate) is_cold_start: bool,
    /// The memory that the process uses, in MB.
    pub(crate) memory_mb: u64,
    /// The memory that the function may use, in MB.
    #[cfg_attr(
        not(feature = "lambda"),
        expect(dead_code, reason = "only the metrics of the feature `lambda` read it")
    )]
    pub(crate) memory_limit_mb: u64,
}

/// The part of the facts that does not change.
struct Constant {
    name: String,
    version: String,
    memory_limit_mb: u64,
}

/// Sets the stage. A second call in one process, as in tests, has no effect.
pub(crate) fn set_stage(stage: &str) {
    let _ = STAGE.set(stage.to_owned());
}

/// Returns the stage, or an empty text.
pub(crate) fn stage() -> &'static str {
    STAGE.get().map_or("", String::as_str)
}

/// Returns the facts, or `None` if this process is no function. See
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html> for the variables.
pub(crate) fn facts() -> Option<Facts> {
    static CONSTANT: OnceLock<Option<Constant>> = OnceLock::new();
    let constant = CONSTANT.get_or_init(|| {
        std::env::var_os("AWS_LAMBDA_RUNTIME_API")?;
        let variable = |name| std::env::var(name).unwrap_or_default();
        Some(Constant {
            name: variable("AWS_LAMBDA_FUNCTION_NAME"),
            version: variable("AWS_LAMBDA_FUNCTION_VERSION"),
            memory_limit_mb: variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").parse().unwrap_or_default(),
        })
    });
    let constant = constant.as_ref()?;
    Some(Facts {
        name: &constant.name,
        version: &constant.version,
        stage: stage(),
        is_cold_start: IS_COLD.load(Ordering::Relaxed),
        memory_mb: metrics_process::collector::collect().resident_memory_bytes.unwrap_or_default()
            / 1_000_000,
        memory_limit_mb: constant.memory_limit_mb,
    })
}

/// Notes that an invocation has ended.
#[cfg(feature = "lambda")]
pub(crate) fn end_invocation() {
    IS_COLD.store(false, Ordering::Relaxed);
}
