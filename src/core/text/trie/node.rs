//! What a trie is made of.

use super::Listed;
use super::filter::Thirds;

/// A prefix of phrases: in the highest bit whether one ends here, and the first of the nodes one symbol further; they end where those
/// of the next node begin. No more than that, for walks wait for memory more than for anything else.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node(u32);

impl Node {
    pub(super) const fn new(children: u32, ends: bool) -> Self {
        Self(if ends { children | ENDS } else { children })
    }

    pub(super) const fn children(self) -> usize {
        (self.0 & !ENDS) as usize
    }

    pub(super) const fn ends(self) -> bool {
        self.0 & ENDS != 0
    }
}

/// The phrases that end at a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct End {
    /// How many.
    pub(super) count: u8,
    /// The only one; of several, its `entry` is where they stand in the trie's list.
    pub(super) only: Listed,
}

/// The bit of a node's number, or its children's, that tells that a phrase ends there.
const ENDS: u32 = 1 << 31;

/// Where a walk begins: one or two symbols, the second 0 if it is one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Start {
    /// 0: the slot is free.
    pub(super) symbols: u32,
    /// The node, and in the highest bit whether a phrase ends there.
    node: u32,
    /// What may follow, see [`Thirds::again`].
    pub(super) thirds: Thirds,
}

impl Start {
    pub(super) const fn new(symbols: u32, node: u32, ends: bool, thirds: Thirds) -> Self {
        Self { symbols, node: if ends { node | ENDS } else { node }, thirds }
    }

    pub(super) const fn node(self) -> u32 {
        self.node & !ENDS
    }

    /// Whether a phrase is no longer than this.
    pub(super) const fn ends(self) -> bool {
        self.node & ENDS != 0
    }

    pub(super) const fn slot(symbols: u32, shift: u32) -> usize {
        (symbols.wrapping_mul(0x9E37_79B9) >> shift) as usize
    }
}
