// The scroll position of each entry of the history: browsers restore it before the results are there.

/** Time without movement after which a position is kept. */
const PAUSE_MS = 150;

/** Keeps positions in the history, and restores that of an entry when its results are shown. Returns a function that keeps one now. */
export function restoreScroll(search) {
  history.scrollRestoration = 'manual';
  let wanted = history.state?.scroll;
  let timer;
  const keep = () => {
    clearTimeout(timer);
    if (wanted === undefined && (history.state?.scroll ?? 0) !== scrollY) {
      history.replaceState({ scroll: scrollY }, '');
    }
  };
  addEventListener(
    'scroll',
    () => {
      clearTimeout(timer);
      timer = setTimeout(keep, PAUSE_MS);
    },
    { passive: true },
  );
  addEventListener('popstate', ({ state }) => {
    clearTimeout(timer);
    wanted = state?.scroll ?? 0;
  });
  search.on('render', () => {
    if (wanted !== undefined && search.status === 'idle') {
      scrollTo({ top: wanted, behavior: 'instant' });
      wanted = undefined;
    }
  });
  return keep;
}
