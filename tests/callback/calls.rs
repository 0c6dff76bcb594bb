//! Which of a call's times is the callback, and what follows from it.
