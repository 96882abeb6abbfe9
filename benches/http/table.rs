//! Rounds over rows, and the printed table of medians.

use crate::load::{Case, Figures};

/// Runs every case once a round, and prints medians; ratios are to the row named in the case, round
/// by round.
pub fn run(title: &str, cases: &[(Case<'_>, &str)], rounds: usize, seconds: u32) {
    let mut measured: Vec<Vec<Figures>> = vec![Vec::new(); cases.len()];
    for (case, _) in cases {
        // Fills the caches, which is no part of what is compared.
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
        let place = cases
            .iter()
            .position(|(other, _)| other.name == *base)
            .expect("a row to compare with");
        let cpu = Spread::of(row.iter().map(|figures| figures.cpu));
        let other = Spread::of(measured[place].iter().map(|figures| figures.cpu));
        let ratio = Spread::of(
            row.iter()
                .zip(&measured[place])
                .map(|(figures, base)| figures.cpu / base.cpu),
        );
        let per_second = Spread::of(row.iter().map(|figures| figures.per_second));
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

pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        Self {
            min: sorted[0],
            median: sorted[sorted.len() / 2],
            max: sorted[sorted.len() - 1],
        }
    }
}
