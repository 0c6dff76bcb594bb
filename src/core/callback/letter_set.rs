//! A set of letters of the Basic Multilingual Plane that is asked for one after the other of a text: a bit each.

/// The set.
pub(super) struct LetterSet([u64; 1024]);

impl LetterSet {
    /// The set of these letters.
    pub(super) const fn of(letters: &[char]) -> Self {
        let mut bits = [0; 1024];
        let mut rest = letters;
        while let [letter, behind @ ..] = rest {
            let code = *letter as usize & 0xFFFF;
            #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, below 1024")]
            {
                bits[code / 64] |= 1 << (code % 64);
            }
            rest = behind;
        }
        Self(bits)
    }

    /// Adds one.
    pub(super) fn insert(&mut self, letter: char) {
        if let Some(bits) = self.0.get_mut(letter as usize / 64) {
            *bits |= 1 << (letter as usize % 64);
        }
    }

    /// Whether a letter is in it.
    #[inline]
    pub(super) fn has(&self, letter: char) -> bool {
        u16::try_from(letter as u32).is_ok_and(|code| self.has_code(code))
    }

    /// Whether the letter of a code is in it.
    #[inline]
    pub(super) fn has_code(&self, code: u16) -> bool {
        self.0.get(usize::from(code >> 6)).is_some_and(|bits| bits >> (code & 63) & 1 == 1)
    }
}
