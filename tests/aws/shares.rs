//! Processor time of the processes that a test started.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The kernel's clock ticks per second, the same on every Linux.
const TICKS_A_SECOND: u64 = 100;

/// Returns the processor time of all descendant processes since their start, by program.
pub(super) fn processor_times() -> BTreeMap<String, Duration> {
    let processes: Vec<Process> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| Process::read(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .collect();
    let mut times = BTreeMap::new();
    for process in &processes {
        if let Some(name) = process.name.clone()
            && descends(process, std::process::id(), &processes)
        {
            *times.entry(name).or_default() += process.time;
        }
    }
    times
}

struct Process {
    id: u32,
    parent: u32,
    /// `None` for processes that only start and watch others.
    name: Option<String>,
    time: Duration,
}

impl Process {
    /// Returns `None` if the process has ended.
    fn read(id: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The program's name is in brackets and may contain brackets itself.
        let fields: Vec<&str> = stat[stat.rfind(')')? + 2..].split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let ticks = number(11)? + number(12)?;
        let arguments = fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
        let mut arguments = arguments.split('\0');
        // A zombie has nothing but its name in brackets.
        let command = arguments.next().filter(|command| !command.is_empty());
        let command = command.unwrap_or(&stat[stat.find('(')? + 1..stat.rfind(')')?]);
        let program = command.rsplit('/').next()?.to_owned();
        let name = match program.as_str() {
            "java" => arguments.find_map(server),
            "sh" | "cargo" => None,
            _ => Some(program),
        };
        let time = Duration::from_millis(ticks * 1000 / TICKS_A_SECOND);
        Some(Self { id, parent: number(1)? as u32, name, time })
    }
}

fn server(argument: &str) -> Option<String> {
    let mains =
        [("dynamodb", "DynamoDB Local"), ("elasticmq", "SQS server"), ("OpenSearchRunner", "OpenSearch")];
    let is_main = argument.contains('.') && !argument.contains(['/', '=']);
    mains.iter().find(|(main, _)| is_main && argument.contains(main)).map(|(_, name)| (*name).to_owned())
}

fn descends(process: &Process, from: u32, all: &[Process]) -> bool {
    process.parent == from
        || all
            .iter()
            .find(|other| other.id == process.parent)
            .is_some_and(|parent| descends(parent, from, all))
}
