//! Chance without a clock: the same seed gives the same draws on every machine.

pub const MILLION: u64 = 1_000_000;

/// splitmix64: one word of state, and any state is a good one.
pub struct Rng(u64);

impl Rng {
    /// Draws that belong to one thing (a person, an institution), so that they can be drawn again and need not
    /// be kept.
    pub fn of(seed: u64, what: Of, number: u64) -> Rng {
        Rng(scramble(scramble(seed ^ ((what as u64) << 56)) ^ number))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// 0 to n-1.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    pub fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    pub fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// What draws are for.
#[derive(Clone, Copy)]
pub enum Of {
    Person = 1,
    Institution = 2,
    Signings = 3,
    Swipes = 4,
    Scores = 5,
    Payments = 6,
    IdNumbers = 7,
    Sheets = 8,
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
