//! In: devices, as the collectors find them. Out: every one of them, by its index. Bounded: in full are those that had a
//! connection last, `Limits::open_handshakes` of them; of the others, what they have in common is kept once, and of each
//! what is its own in some hundred bytes (D-EVIDENCE-22). Left to others: how many may be kept.

use std::collections::{HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::mem::size_of;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::device::Device;
use super::handshake::Handshake;
use super::order::Order;
use super::own::{Own, Visitor};
use super::packed::{Packer, Taken, Unpacker};
use crate::capture::FrameRef;

/// Bytes that a device or handshake takes in full, with what belongs to it.
const OPEN_BYTES: usize = 2_560;
/// Bytes that a device at rest takes beside its own values: its place, its address in the index and in the report's count,
/// each in a table that may just have grown, and the heap's own.
const REST_BYTES: usize = 144;
/// Devices put together for reading that are kept to put the next one of their kind together in.
const SCRATCH: usize = 16;

/// The devices of an investigation.
#[derive(Debug)]
pub struct Devices {
    slots: Vec<Slot>,
    /// Those in full that were not put to rest since, in the order in which they were opened.
    queue: VecDeque<u32>,
    /// Devices in full, and their handshakes.
    open: usize,
    /// How many of those there may be.
    most_open: usize,
    patterns: HashSet<Arc<Pattern>, RandomState>,
    handshakes: HashSet<Arc<Handshake>, RandomState>,
    /// Bytes of the devices at rest, and of what they have in common.
    bytes: usize,
    packer: Packer,
}

#[derive(Debug)]
enum Slot {
    Open(Box<Open>),
    Resting(Resting),
}

/// A device in full.
#[derive(Debug)]
struct Open {
    device: Device,
    /// Whether something was asked of it since it came to the queue's end.
    used: bool,
    /// What it counts in [`Devices::open`].
    weight: usize,
}

/// A device at rest: what it has in common with others, and what is its own.
#[derive(Debug)]
struct Resting {
    pattern: Arc<Pattern>,
    own: Box<[u8]>,
}

/// A device and its handshakes without what is a device's own.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    device: Device,
    handshakes: Vec<Arc<Handshake>>,
    /// Which of the values of its own are equal.
    equal: Box<[u8]>,
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.device.hash(state);
        self.equal.hash(state);
        // Equal handshakes are one.
        self.handshakes.iter().for_each(|handshake| Arc::as_ptr(handshake).hash(state));
    }
}

impl Pattern {
    /// A device of this kind with these values of its own.
    fn with(&self, own: &[u8]) -> Device {
        let mut device = self.device.clone();
        device.handshakes = self.handshakes.iter().map(|handshake| handshake.as_ref().clone()).collect();
        self.fill(&mut device, own);
        device
    }

    /// Puts these values of its own in the place of those of a device of this kind.
    fn fill(&self, device: &mut Device, own: &[u8]) {
        all_own(device, &mut Unpacker::new(&self.equal, own));
    }

    /// About how many bytes it takes, without its handshakes.
    fn weight(&self) -> usize {
        self.device.weight() + self.handshakes.len() * size_of::<usize>() + self.equal.len()
    }
}

fn all_own(device: &mut Device, visitor: &mut impl Visitor) {
    device.each_own(visitor);
    device.handshakes.each_own(visitor);
}

/// A device in full, kept so or put together.
#[derive(Debug)]
pub enum Held<'d> {
    /// Kept so.
    Open(&'d Device),
    /// Put together.
    Resting(Box<Device>),
}

impl Deref for Held<'_> {
    type Target = Device;

    fn deref(&self) -> &Device {
        match self {
            Self::Open(device) => device,
            Self::Resting(device) => device,
        }
    }
}

/// What of a device can be told without putting it together.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'d> {
    /// Its index.
    pub index: usize,
    /// Its first frame.
    pub first: FrameRef,
    /// Its address.
    pub address: IpAddr,
    /// The device, of which only what devices of its kind have in common may be looked at, and no handshake.
    pub shape: &'d Device,
    /// How many of its handshakes are kept.
    pub handshakes: usize,
    /// What devices of one kind have the same of; `None` for a device in full.
    pub kind: Option<usize>,
}

/// What devices that did the same have the same of.
#[derive(Debug)]
pub struct Outline {
    /// Everything that is not a device's own.
    pub kind: usize,
    /// The order of its own frames, and which of its own values are equal.
    pub order: Vec<u8>,
}

/// Devices that were put together, to put others of their kind together in.
#[derive(Debug, Default)]
pub struct Scratch(VecDeque<(Arc<Pattern>, Device)>);

impl Default for Devices {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            queue: VecDeque::new(),
            open: 0,
            most_open: usize::MAX,
            patterns: HashSet::default(),
            handshakes: HashSet::default(),
            bytes: 0,
            packer: Packer::new(),
        }
    }
}

impl Devices {
    /// None yet; at most so many, with their handshakes, will be kept in full.
    pub(super) fn new(most_open: usize) -> Self {
        Self { most_open, ..Self::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The device with an index, if it is kept in full.
    pub fn get(&self, index: usize) -> Option<&Device> {
        match self.slots.get(index)? {
            Slot::Open(open) => Some(&open.device),
            Slot::Resting(_) => None,
        }
    }

    /// The device with an index.
    pub fn held(&self, index: usize) -> Option<Held<'_>> {
        Some(match self.slots.get(index)? {
            Slot::Open(open) => Held::Open(&open.device),
            Slot::Resting(resting) => Held::Resting(Box::new(resting.pattern.with(&resting.own))),
        })
    }

    /// All of them, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Held<'_>> {
        (0..self.slots.len()).filter_map(|index| self.held(index))
    }

    /// Shows the device with an index; `scratch` makes it cheap to look at many of a kind.
    pub fn show<T>(&self, index: usize, scratch: &mut Scratch, look: impl FnOnce(&Device) -> T) -> Option<T> {
        match self.slots.get(index)? {
            Slot::Open(open) => Some(look(&open.device)),
            Slot::Resting(resting) => scratch.put_together(resting).map(|device| look(device)),
        }
    }

    /// Shows a device at rest, with what is the same for devices that did the same.
    pub(crate) fn outline<T>(
        &self,
        index: usize,
        scratch: &mut Scratch,
        look: impl FnOnce(&Device, Outline) -> T,
    ) -> Option<T> {
        let Slot::Resting(resting) = self.slots.get(index)? else { return None };
        let device = scratch.put_together(resting)?;
        let mut order = Order::default();
        all_own(device, &mut order);
        let kind = Arc::as_ptr(&resting.pattern).addr();
        Some(look(device, Outline { kind, order: order.finish() }))
    }

    /// A glance at each.
    pub fn glances(&self) -> impl Iterator<Item = Glance<'_>> {
        (0..self.slots.len()).filter_map(|index| self.glance(index))
    }

    /// A glance at the device with an index.
    pub fn glance(&self, index: usize) -> Option<Glance<'_>> {
        Some(match self.slots.get(index)? {
            Slot::Open(open) => Glance {
                index,
                first: open.device.frames.0,
                address: open.device.address,
                shape: &open.device,
                handshakes: open.device.handshakes.len(),
                kind: None,
            },
            Slot::Resting(Resting { pattern, own }) => {
                let (mut frames, mut address) = (pattern.device.frames, pattern.device.address);
                let mut unpacker = Unpacker::new(&pattern.equal, own);
                frames.each_own(&mut unpacker);
                unpacker.address(&mut address);
                let (shape, handshakes) = (&pattern.device, pattern.handshakes.len());
                let kind = Some(Arc::as_ptr(pattern).addr());
                Glance { index, first: frames.0, address, shape, handshakes, kind }
            }
        })
    }

    /// The device with an index, to be changed; it is in full from here on.
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Device> {
        self.open(index)?;
        match self.slots.get_mut(index)? {
            Slot::Open(open) => {
                open.used = true;
                Some(&mut open.device)
            }
            Slot::Resting(_) => None,
        }
    }

    /// Two devices, to be changed.
    pub(super) fn pair_mut(&mut self, one: usize, other: usize) -> Option<[&mut Device; 2]> {
        self.open(one)?;
        self.open(other)?;
        match self.slots.get_disjoint_mut([one, other]).ok()? {
            [Slot::Open(one), Slot::Open(other)] => Some([&mut one.device, &mut other.device]),
            _ => None,
        }
    }

    /// Those in full, to be changed.
    pub(super) fn open_mut(&mut self) -> impl Iterator<Item = &mut Device> {
        self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Open(open) => Some(&mut open.device),
            Slot::Resting(_) => None,
        })
    }

    /// Keeps the device with an index in full from here on.
    pub(crate) fn open(&mut self, index: usize) -> Option<()> {
        let slot = self.slots.get_mut(index)?;
        let Slot::Resting(resting) = slot else { return Some(()) };
        let device = resting.pattern.with(&resting.own);
        let weight = 1 + device.handshakes.len();
        let open = Slot::Open(Box::new(Open { device, used: true, weight }));
        if let Slot::Resting(Resting { pattern, own }) = std::mem::replace(slot, open) {
            self.bytes = self.bytes.saturating_sub(own.len() + REST_BYTES);
            self.release(pattern);
        }
        self.open += weight;
        self.queue.push_back(u32::try_from(index).unwrap_or(u32::MAX));
        Some(())
    }

    /// Adds a device, and returns its index.
    pub(super) fn push(&mut self, device: Device) -> usize {
        let index = self.slots.len();
        let weight = 1 + device.handshakes.len();
        self.slots.push(Slot::Open(Box::new(Open { device, used: true, weight })));
        self.open += weight;
        self.queue.push_back(u32::try_from(index).unwrap_or(u32::MAX));
        index
    }

    /// Notes that the device with an index has one more handshake.
    pub(super) fn note_handshake(&mut self, index: usize) {
        if let Some(Slot::Open(open)) = self.slots.get_mut(index) {
            open.weight += 1;
            self.open += 1;
        }
    }

    /// About how many bytes all of them take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.open * OPEN_BYTES
    }

    /// Puts devices to rest until few enough are kept in full; `before` settles each.
    pub(super) fn rest(&mut self, before: impl FnMut(&mut Device)) {
        self.rest_down_to(self.most_open, before);
    }

    /// Puts all of them to rest.
    pub(crate) fn rest_all(&mut self) {
        self.rest_down_to(0, |_| {});
    }

    fn rest_down_to(&mut self, most: usize, mut before: impl FnMut(&mut Device)) {
        while self.open > most {
            let Some(next) = self.queue.pop_front() else { return };
            let Some(slot) = usize::try_from(next).ok().and_then(|index| self.slots.get_mut(index)) else { continue };
            let Slot::Open(open) = slot else { continue };
            if std::mem::take(&mut open.used) {
                self.queue.push_back(next);
                continue;
            }
            before(&mut open.device);
            self.open = self.open.saturating_sub(open.weight);
            let mut device = std::mem::replace(&mut open.device, Device::nobody());
            let resting = self.fold(&mut device);
            self.bytes += resting.own.len() + REST_BYTES;
            if let Some(slot) = usize::try_from(next).ok().and_then(|index| self.slots.get_mut(index)) {
                *slot = Slot::Resting(resting);
            }
        }
    }

    /// Takes a device apart.
    fn fold(&mut self, device: &mut Device) -> Resting {
        all_own(device, &mut self.packer);
        let Taken { equal, values: own } = self.packer.take();
        let handshakes = std::mem::take(&mut device.handshakes);
        let handshakes = handshakes.into_iter().map(|handshake| self.handshake(handshake)).collect();
        let pattern = Pattern { device: std::mem::replace(device, Device::nobody()), handshakes, equal };
        if let Some(known) = self.patterns.get(&pattern) {
            return Resting { pattern: Arc::clone(known), own };
        }
        self.bytes += pattern.weight();
        let pattern = Arc::new(pattern);
        self.patterns.insert(Arc::clone(&pattern));
        Resting { pattern, own }
    }

    /// The handshake that is kept for all that are equal.
    fn handshake(&mut self, handshake: Handshake) -> Arc<Handshake> {
        if let Some(known) = self.handshakes.get(&handshake) {
            return Arc::clone(known);
        }
        self.bytes += handshake.weight();
        let handshake = Arc::new(handshake);
        self.handshakes.insert(Arc::clone(&handshake));
        handshake
    }

    /// Forgets a pattern that no device has any more.
    fn release(&mut self, pattern: Arc<Pattern>) {
        // One for the set, one given here.
        if Arc::strong_count(&pattern) > 2 {
            return;
        }
        self.patterns.remove(&pattern);
        self.bytes = self.bytes.saturating_sub(pattern.weight());
        for handshake in Arc::into_inner(pattern).into_iter().flat_map(|pattern| pattern.handshakes) {
            if Arc::strong_count(&handshake) == 2 {
                self.handshakes.remove(&handshake);
                self.bytes = self.bytes.saturating_sub(handshake.weight());
            }
        }
    }
}

impl Scratch {
    fn put_together(&mut self, resting: &Resting) -> Option<&mut Device> {
        let known = self.0.iter().position(|(pattern, _)| Arc::ptr_eq(pattern, &resting.pattern));
        let at = match known {
            Some(at) => {
                if let Some((_, device)) = self.0.get_mut(at) {
                    resting.pattern.fill(device, &resting.own);
                }
                at
            }
            None => {
                if self.0.len() == SCRATCH {
                    self.0.pop_front();
                }
                self.0.push_back((Arc::clone(&resting.pattern), resting.pattern.with(&resting.own)));
                self.0.len() - 1
            }
        };
        self.0.get_mut(at).map(|(_, device)| device)
    }
}
