//! What a release has to say and which number it takes, as far as findings tell.
