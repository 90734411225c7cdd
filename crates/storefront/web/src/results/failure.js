// The message about a search that failed. The last results stay below it.

import { element } from '../dom.js';
import { text } from '../texts.js';

/** Returns the element of the message. `onRecovered()` gets the focus if the button had it and the search works again. */
export function failureMessage(search, onRecovered) {
  const section = element('div', { class: 'failure', role: 'alert' });
  let failed;
  const retry = () => search.setUiState(failed);
  search.on('error', (error) => {
    // InstantSearch goes back to the last search that worked, just after this event.
    failed = search.getUiState();
    section.replaceChildren(
      element('p', { text: text(messageKey(error)) }),
      element('button', { type: 'button', class: 'button', text: text('retry'), onclick: retry }),
    );
  });
  search.on('render', () => {
    if (search.status === 'idle' && section.hasChildNodes()) {
      const hadFocus = section.contains(document.activeElement);
      section.replaceChildren();
      if (hadFocus) {
        onRecovered();
      }
    }
  });
  return section;
}

function messageKey({ status }) {
  if (status === 429) {
    return 'errorBusy';
  }
  return navigator.onLine === false ? 'errorOffline' : 'errorFailed';
}
