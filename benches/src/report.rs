//! The table that is printed: medians over the rounds, of the ratio to the canned reply right before as well.

use std::collections::BTreeMap;

use crate::Run;

#[derive(Default)]
struct Row {
    requests_per_second: Vec<f64>,
    p50_micros: Vec<f64>,
    p99_micros: Vec<f64>,
    cpu_micros: Vec<f64>,
    of_canned: Vec<f64>,
}

pub(crate) struct Table {
    order: Vec<(String, String)>,
    rows: BTreeMap<(String, String), Row>,
}

impl Table {
    pub(crate) const fn new() -> Self {
        Self { order: Vec::new(), rows: BTreeMap::new() }
    }

    /// Adds a run; `yardstick` is how many requests a second the canned reply made right before it.
    pub(crate) fn add(&mut self, server: &str, operation: &str, run: &Run, yardstick: f64) {
        let Run { measured, cpu_micros } = run;
        let name = (server.to_owned(), operation.to_owned());
        if !self.order.contains(&name) {
            self.order.push(name.clone());
        }
        let row = self.rows.entry(name).or_default();
        row.requests_per_second.push(measured.requests_per_second);
        row.p50_micros.push(measured.p50.as_micros() as f64);
        row.p99_micros.push(measured.p99.as_micros() as f64);
        row.cpu_micros.extend(cpu_micros);
        row.of_canned.push(measured.requests_per_second / yardstick);
    }

    pub(crate) fn print(&self) {
        println!(
            "{:<14} {:<18} {:>10} {:>9} {:>9} {:>12} {:>10}",
            "server", "operation", "req/s", "p50", "p99", "of canned", "CPU"
        );
        for name in &self.order {
            let row = &self.rows[name];
            println!(
                "{:<14} {:<18} {:>10.0} {:>6.2} ms {:>6.2} ms {:>12.2} {:>10}",
                name.0,
                name.1,
                median(&mut row.requests_per_second.clone()),
                median(&mut row.p50_micros.clone()) / 1000.0,
                median(&mut row.p99_micros.clone()) / 1000.0,
                median(&mut row.of_canned.clone()),
                match &row.cpu_micros[..] {
                    [] => "-".to_owned(),
                    all => format!("{:.1} µs", median(&mut all.to_vec())),
                },
            );
        }
    }
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
