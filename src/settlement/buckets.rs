//! Where the signings of a person stand among signings that are in the order of [`mixed`](super::order::mixed)
//! numbers: a table so small that most of it stays in a core's cache.

use std::ops::Range;

use rayon::prelude::*;

/// How many buckets are told from one start.
const IN_GROUP: usize = 12;
/// About how many signings stand in a group: one in a bucket. With fewer a stranger is met less often, but the table takes
/// more pages, and of a province it costs more to wait for those.
const EACH: usize = 12;
/// A group that has more is not told apart into buckets.
const MOST: usize = 254;

/// Neighbouring buckets.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(16))]
struct Group {
    /// Where the signings of the first start.
    start: u32,
    /// How many signings stand up to the end of each; 255 in all where they are too many.
    ends: [u8; IN_GROUP],
}

/// The buckets of all mixed numbers, and which signings stand in each.
#[derive(Debug)]
pub struct Buckets {
    /// One behind the last, for its start.
    groups: Vec<Group>,
}

impl Buckets {
    /// Of signings in the order of the number that `mixed` says of each.
    pub fn new<T: Sync>(signings: &[T], mixed: impl Fn(&T) -> u64 + Sync) -> Buckets {
        let groups = signings.len() / EACH + 1;
        let mut buckets = Buckets { groups: vec![Group::default(); groups + 1] };
        let place = |signing: &T| place_of(mixed(signing), groups);
        let size = groups.div_ceil(4 * rayon::current_num_threads());
        buckets.groups[..groups].par_chunks_mut(size).enumerate().for_each(|(part, of_part)| {
            let first = part * size;
            let mut start = signings.partition_point(|signing| place(signing).0 < first);
            for (group, out) in (first..).zip(of_part) {
                let (mut ends, mut count) = ([0; IN_GROUP], 0);
                let of_group = signings[start..].iter().map(&place).take_while(|(of, _)| *of == group);
                for (_, bucket) in of_group {
                    count += 1;
                    ends[bucket] = count.min(MOST + 1) as u8;
                }
                (1..IN_GROUP).for_each(|at| ends[at] = ends[at].max(ends[at - 1]));
                if count > MOST {
                    ends = [u8::MAX; IN_GROUP];
                }
                *out = Group { start: start as u32, ends };
                start += count;
            }
        });
        buckets.groups[groups].start = signings.len() as u32;
        buckets
    }

    /// Where those with a mixed number stand, and those with some others as well.
    #[inline(always)]
    pub fn find(&self, mixed: u64) -> Range<usize> {
        let (group, bucket) = place_of(mixed, self.groups.len() - 1);
        let Group { start, ends } = self.groups[group];
        if ends[0] == u8::MAX {
            return start as usize..self.groups[group + 1].start as usize;
        }
        let begin = if bucket == 0 { 0 } else { ends[bucket - 1] };
        start as usize + usize::from(begin)..start as usize + usize::from(ends[bucket])
    }
}

/// The group of a mixed number, and the bucket in it; both grow with the number.
#[inline(always)]
fn place_of(mixed: u64, groups: usize) -> (usize, usize) {
    let product = u128::from(mixed) * groups as u128;
    let bucket = u128::from(product as u64) * IN_GROUP as u128;
    ((product >> 64) as usize, (bucket >> 64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut numbers: Vec<u64>, widest: usize) {
        numbers.sort_unstable();
        let buckets = Buckets::new(&numbers, |number| *number);
        let asked = [0, 1, u64::MAX / 2, u64::MAX].into_iter().chain(numbers.iter().copied());
        for number in asked {
            let (first, end) =
                (numbers.partition_point(|one| *one < number), numbers.partition_point(|one| *one <= number));
            let found = buckets.find(number);
            assert!(found.start <= found.end && found.end <= numbers.len(), "{number}");
            if first < end {
                assert!(
                    found.start <= first && end <= found.end,
                    "{number}: {first}..{end} not in {found:?}"
                );
            }
            assert!(found.len() <= widest.max(end - first), "{number}: {found:?}");
        }
    }

    #[test]
    fn every_number_is_in_its_bucket_and_few_others_are() {
        let mut x = 7u64;
        let mut random = || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x
        };
        for count in [0, 1, 2, 5, 6, 7, 100, 20_000] {
            check((0..count).map(|_| random()).collect(), 12);
        }
        check((0..5_000).map(|_| random() / 3 * 3).flat_map(|one| [one; 3]).collect(), 24);
    }

    #[test]
    fn numbers_that_many_share_are_found_all_the_same() {
        for same in [MOST - 1, MOST, MOST + 1, 1_000] {
            let many = std::iter::repeat_n(u64::MAX / 3, same);
            check(many.chain((0..500).map(|one| one << 55)).collect(), same + 12);
            check(vec![0; same], same);
            check(vec![u64::MAX; same], same);
        }
    }
}
