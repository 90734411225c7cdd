// The search field on the page of results: it searches while the shopper types.

import { connectSearchBox } from 'instantsearch.js/es/connectors';

/** Returns the widget of the search field. */
export function searchField(form) {
  const input = form.elements.namedItem('query');
  let state;
  let last;
  const search = (query) => {
    if (query !== last) {
      window.scrollTo({ top: 0 });
    }
    last = query;
    state.refine(query);
  };
  input.addEventListener('input', (event) => {
    // The text is not final while an input method composes it.
    if (!event.isComposing) {
      search(input.value);
    }
  });
  input.addEventListener('compositionend', () => search(input.value));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    search(input.value);
  });
  return connectSearchBox((next, isFirst) => {
    state = next;
    const typedBefore =
      isFirst && document.activeElement === input && input.value !== '' && input.value !== state.query;
    if (typedBefore) {
      queueMicrotask(() => search(input.value));
    } else if (state.query !== last && state.instantSearchInstance.status !== 'error') {
      last = state.query;
      if (input.value !== state.query) {
        input.value = state.query;
      }
    }
  })({});
}
