//! A set of letters of the Basic Multilingual Plane that is asked for one after the other of a text: a bit each.

/// The set.
pub(crate) struct LetterSet([u64; 1024]);

impl LetterSet {
    /// The set of all letters of which this holds.
    pub(crate) fn of_all(is_in: impl Fn(char) -> bool) -> Self {
        let mut all = Self::of(&[]);
        (0..1 << 16).filter_map(char::from_u32).filter(|letter| is_in(*letter)).for_each(|letter| all.insert(letter));
        all
    }

    /// The set of these letters.
    pub(crate) const fn of(letters: &[char]) -> Self {
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
    pub(crate) fn insert(&mut self, letter: char) {
        if let Some(bits) = self.0.get_mut(letter as usize / 64) {
            *bits |= 1 << (letter as usize % 64);
        }
    }

    /// Whether a letter is in it.
    #[inline]
    pub(crate) fn has(&self, letter: char) -> bool {
        u16::try_from(letter as u32).is_ok_and(|code| self.has_code(code))
    }

    /// Whether the letter of a code is in it.
    #[inline]
    pub(crate) fn has_code(&self, code: u16) -> bool {
        self.0.get(usize::from(code >> 6)).is_some_and(|bits| bits >> (code & 63) & 1 == 1)
    }
}
