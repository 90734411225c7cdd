// Dots in the colour that a value names.

import { element } from '../dom.js';

const COLOURS = {
  beige: '#e3d5b8',
  black: '#2b2d31',
  blue: '#3f6fb5',
  brown: '#7b5438',
  cream: '#f3ead5',
  gold: '#c9a24b',
  gray: '#8a9099',
  green: '#4f8a5b',
  grey: '#8a9099',
  navy: '#27375f',
  orange: '#dd8438',
  pink: '#e2a0b4',
  purple: '#7a5aa6',
  red: '#c0433b',
  sand: '#d9c3a0',
  silver: '#c3c8cf',
  teal: '#2f8486',
  white: '#ffffff',
  yellow: '#e8c547',
};

/** Returns the dot of a value, or nothing if the attribute is no colour or its name is unknown. */
export function swatchOf(attribute, value) {
  const colour = /^attributes\.colou?r$/.test(attribute) && COLOURS[value.toLowerCase()];
  if (!colour) {
    return [];
  }
  const dot = element('span', { class: 'swatch', 'aria-hidden': 'true' });
  dot.style.backgroundColor = colour;
  return [dot];
}
