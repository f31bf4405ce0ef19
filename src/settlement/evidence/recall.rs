//! What this run's swipes say of services, held against what earlier postings saw of them.

use std::sync::atomic::Ordering;

use rayon::prelude::*;

use crate::base::period::{Date, Rank};

use super::super::admitted::Face;
use super::super::history::History;
use super::super::qualify::Qualified;
use super::super::rules::Rules;
use super::{Evidence, Service, Taken};

impl Evidence {
    /// Holds what this run saw against what earlier postings saw. An export may hold the same services again, or
    /// none of them: of each day and item the greater number counts, as long as the day is one of the signing as it
    /// is now, at the same institution.
    pub fn recall(&mut self, rules: &Rules, qualified: &Qualified, history: &History) {
        if !self.asked || !self.recording {
            return;
        }
        let mut log = std::mem::take(&mut self.log);
        log.par_sort_unstable_by_key(|(service, _)| service.key());
        let mut seen: Vec<Service> = Vec::new();
        for (service, taken) in log {
            if seen.last().is_none_or(|last| last.key() != service.key()) {
                seen.push(Service { seen: 0, times: 0, ..service });
            }
            let Some(last) = seen.last_mut() else { continue };
            // What is taken back was taken in, perhaps later in this order.
            let add = |sum: &mut u32, more: u32| {
                *sum = if taken == Taken::In { sum.wrapping_add(more) } else { sum.wrapping_sub(more) };
            };
            add(&mut last.seen, service.seen);
            add(&mut last.times, service.times);
        }
        // Of signings that the past knows, what it saw beside that; only what it did not see is noted.
        let mut next = seen.into_iter().peekable();
        let mut now: Vec<Service> = Vec::new();
        for index in 0..qualified.signings.count() {
            now.clear();
            while let Some(service) = next.next_if(|service| service.signing as usize == index) {
                now.push(service);
            }
            let before = qualified.known(index).map_or(&[][..], |known| history.services(known));
            if !before.is_empty() {
                let signing = &qualified.signings.faces()[index];
                let package = rules.package(signing.offer());
                for past in
                    before.iter().filter(|past| history.place_of_service(past) == signing.institution())
                {
                    let id = history.item_of_service(past);
                    let item = id.and_then(|id| package.items.iter().position(|item| item.named.id == id));
                    // Of an item that the package does not list only the evidence is left.
                    let item = item.map(|item| item as u8);
                    let key = (index as u32, Rank::from(past.day), item);
                    let mut here = Service { signing: key.0, day: key.1, item, seen: 0, times: 0 };
                    let found = now.iter().position(|service| service.key() == key);
                    if let Some(at) = found {
                        here = now[at];
                    }
                    let more = (past.seen.saturating_sub(here.seen), past.times.saturating_sub(here.times));
                    self.count_past(signing, (index, past.day), (item, more), rules);
                    match found {
                        Some(at) if more.0 + here.seen == past.seen && more.1 + here.times == past.times => {
                            now.swap_remove(at);
                        }
                        Some(at) => {
                            now[at].seen += more.0;
                            now[at].times += more.1;
                        }
                        None => {}
                    }
                }
                now.sort_unstable_by_key(Service::key);
            }
            self.services.extend(now.iter().filter(|service| service.seen > 0 || service.times > 0));
        }
    }

    /// Adds what only earlier postings saw to the counters of the charge that it falls in.
    fn count_past(
        &self,
        signing: &Face,
        (index, day): (usize, Date),
        (item, (seen, times)): (Option<u8>, (u32, u32)),
        rules: &Rules,
    ) {
        let offer = signing.offer();
        let Some(number) = signing.charge_of(rules.policy(offer).schedule, day) else { return };
        let Some(nth) = signing.charges(rules).position(|(charge, _)| charge == number) else { return };
        if rules.services_asked(offer) > 0 {
            self.charges[self.charge_start[index] as usize + nth].fetch_add(seen, Ordering::Relaxed);
        }
        let items = rules.items_counted(offer);
        if let Some(item) = item.filter(|_| items > 0) {
            let at = self.item_start[index] as usize + nth * items + usize::from(item);
            self.items[at].fetch_add(times, Ordering::Relaxed);
        }
    }
}
