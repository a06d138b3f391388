//! [`Palette`]: the styles of the screen. The terminal's own sixteen colours, on its own background, so that it
//! is legible on light and dark ones alike; and none at all where none are wanted. Pure.

use ratatui::style::{Color, Modifier, Style};

use super::facts::Health;

/// The styles of the screen. Whatever has a colour says the same in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    /// Whether there are colours.
    pub(super) coloured: bool,
}

impl Palette {
    pub(super) fn health(self, health: Health) -> Style {
        self.colour(match health {
            Health::Good => Color::Green,
            Health::Doubtful => Color::Yellow,
            Health::Bad => Color::Red,
        })
    }

    /// The frame, and what matters less.
    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn accent(self) -> Style {
        self.colour(Color::Cyan)
    }

    fn colour(self, colour: Color) -> Style {
        if self.coloured { Style::new().fg(colour) } else { Style::new() }
    }
}
