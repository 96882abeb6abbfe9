//! Runs cases in interleaved rounds and prints a table of medians.

use crate::load::{Case, Figures};

/// Runs every case once per round and prints the medians. Ratios are relative to the named base case
/// of the same round.
pub fn run(title: &str, cases: &[(Case<'_>, &str)], rounds: usize, seconds: u32) {
    let mut measured: Vec<Vec<Figures>> = vec![Vec::new(); cases.len()];
    for (case, _) in cases {
        // Warm-up: fills the caches.
        case.run(1.max(seconds / 2));
    }
    for _ in 0..rounds {
        for (row, (case, _)) in measured.iter_mut().zip(cases) {
            row.push(case.run(seconds));
        }
    }
    println!("\n## {title} ({rounds} rounds of {seconds} s, interleaved)\n");
    println!(
        "| row | CPU µs/request: median (min–max) | of | ratio: median (min–max) | ratio of minima | requests/s |"
    );
    println!("|---|---|---|---|---|---|");
    for (row, (case, base)) in measured.iter().zip(cases) {
        let base_index = cases
            .iter()
            .position(|(other, _)| other.name == *base)
            .expect("the base case is in the table");
        let cpu = Spread::from_values(row.iter().map(|figures| figures.cpu));
        let other = Spread::from_values(measured[base_index].iter().map(|figures| figures.cpu));
        let ratio = Spread::from_values(
            row.iter()
                .zip(&measured[base_index])
                .map(|(figures, base)| figures.cpu / base.cpu),
        );
        let per_second = Spread::from_values(row.iter().map(|figures| figures.per_second));
        println!(
            "| {} | {:.2} ({:.2}–{:.2}) | {base} | {:.3} ({:.3}–{:.3}) | {:.3} | {:.0} |",
            case.name,
            cpu.median,
            cpu.min,
            cpu.max,
            ratio.median,
            ratio.min,
            ratio.max,
            cpu.min / other.min,
            per_second.median
        );
    }
}

/// Minimum, median and maximum of a measurement.
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    pub fn from_values(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        Self {
            min: sorted[0],
            median: sorted[sorted.len() / 2],
            max: sorted[sorted.len() - 1],
        }
    }
}
