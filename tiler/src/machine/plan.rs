//! One budget of memory (`[serve] max_memory`), and the shares of caches, tables, bodies and answers in it.

use crate::server::ServeOptions;
use sen_catalog::{Error, Result};

const MB: u64 = 1 << 20;

/// Most that is taken where nothing is said.
const DEFAULT_MB: u64 = 1500;

/// Least that the service can live with.
const LEAST_MB: u64 = 200;

/// The program itself, its threads, the catalogue's own caches, and what is under way.
const PROGRAM_MB: u64 = 150;

/// Bytes, by what may hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemoryPlan {
    /// Finished tiles.
    pub(crate) tiles: u64,
    /// Decoded blocks of rasters.
    pub(crate) blocks: u64,
    /// Feature layers.
    pub(crate) vectors: u64,
    /// Tables of statistics.
    pub(crate) tables: u64,
    /// Bodies that are being received or read.
    pub(crate) bodies: u64,
    /// Answers that are being made or sent.
    pub(crate) answers: u64,
}

impl MemoryPlan {
    /// The shares on a machine or in a container of so many bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] where caches of a stated size do not fit into the budget, which names both.
    pub(crate) fn of(options: &ServeOptions, machine: u64) -> Result<Self> {
        let all = options
            .max_memory
            .unwrap_or_else(|| DEFAULT_MB.min(machine / MB / 2).max(LEAST_MB));
        if all < LEAST_MB {
            return Err(Error::Invalid(format!(
                "serve.max_memory: {all} MB are too few; give {LEAST_MB} or more"
            )));
        }
        let said = [
            ("tile_cache_mb", options.tile_cache_mb, 64.min(all / 16)),
            ("block_cache_mb", options.block_cache_mb, 512.min(all / 4)),
            ("vector_index_mb", options.vector_index_mb, 512.min(all / 4)),
        ];
        let stated = said
            .iter()
            .filter_map(|(name, stated, _)| Some((*name, (*stated)?)));
        let sum: u64 = stated.clone().map(|(_, mb)| mb).fold(0, u64::saturating_add);
        if sum > all {
            let named: Vec<String> = stated.map(|(name, mb)| format!("serve.{name} = {mb}")).collect();
            let whence = if options.max_memory.is_some() {
                "serve.max_memory"
            } else {
                "the default of serve.max_memory"
            };
            return Err(Error::Invalid(format!(
                "{} are more than the {all} MB of {whence}; lower them, or raise serve.max_memory",
                named.join(" and ")
            )));
        }
        // caches that nothing is said of share what the stated ones leave of five eighths
        let defaults: u64 = said
            .iter()
            .filter(|(_, stated, _)| stated.is_none())
            .map(|(.., mb)| *mb)
            .sum();
        let left = (all * 5 / 8).saturating_sub(sum);
        let size = |index: usize| {
            let (_, stated, default) = said[index];
            stated.unwrap_or(if defaults > left {
                default * left / defaults
            } else {
                default
            })
        };
        let caches = size(0) + size(1) + size(2);
        let (tables, bodies) = (all / 16, 64.min(all / 8));
        let answers = all
            .saturating_sub(caches + tables + bodies + PROGRAM_MB)
            .max(all / 8);
        Ok(Self {
            tiles: size(0) * MB,
            blocks: size(1) * MB,
            vectors: size(2) * MB,
            tables: tables * MB,
            bodies: bodies * MB,
            answers: answers * MB,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(options: &ServeOptions, machine_mb: u64) -> MemoryPlan {
        MemoryPlan::of(options, machine_mb * MB).expect("fits")
    }

    fn sum(plan: MemoryPlan) -> u64 {
        (plan.tiles + plan.blocks + plan.vectors + plan.tables + plan.bodies + plan.answers) / MB
    }

    #[test]
    fn the_default_is_1500_or_half_of_what_there_is() {
        let own = ServeOptions::default();
        let large = plan(&own, 64_000);
        assert!(
            (1300..=1350).contains(&sum(large)),
            "1500 less the program: {large:?}"
        );
        assert_eq!(large.tiles, 64 * MB);
        let small = plan(&own, 1000);
        assert!(sum(small) <= 500 && small.blocks <= 125 * MB, "{small:?}");
        assert!(sum(plan(&own, 100)) <= LEAST_MB, "a very small one: the least");
    }

    #[test]
    fn stated_caches_beyond_the_budget_are_an_error_that_names_them() {
        let told = |options: ServeOptions| {
            MemoryPlan::of(&options, 64_000 * MB)
                .expect_err("too much")
                .to_string()
        };
        let error = told(ServeOptions {
            max_memory: Some(600),
            block_cache_mb: Some(700),
            ..ServeOptions::default()
        });
        assert!(
            error.contains("block_cache_mb = 700") && error.contains("600 MB of serve.max_memory"),
            "{error}"
        );
        let error = told(ServeOptions {
            tile_cache_mb: Some(1000),
            vector_index_mb: Some(600),
            ..ServeOptions::default()
        });
        assert!(
            error.contains("tile_cache_mb = 1000 and serve.vector_index_mb = 600"),
            "{error}"
        );
        assert!(
            told(ServeOptions {
                max_memory: Some(20),
                ..ServeOptions::default()
            })
            .contains("max_memory")
        );
        // the others make room for a large one
        let plan = plan(
            &ServeOptions {
                block_cache_mb: Some(900),
                ..ServeOptions::default()
            },
            64_000,
        );
        assert!(plan.blocks == 900 * MB && plan.vectors < 40 * MB, "{plan:?}");
        let none = ServeOptions {
            tile_cache_mb: Some(0),
            ..ServeOptions::default()
        };
        assert_eq!(MemoryPlan::of(&none, 64_000 * MB).expect("fits").tiles, 0);
    }
}
