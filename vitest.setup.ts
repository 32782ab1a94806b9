/** What Lumino and uPlot ask of a browser when they are imported, and jsdom does not have. */

class DragEventWithoutData extends MouseEvent {
  readonly dataTransfer = null;
}

class ResizeObserverAtRest implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.DragEvent ??= DragEventWithoutData;
globalThis.ResizeObserver ??= ResizeObserverAtRest;
globalThis.matchMedia ??= (media: string) =>
  Object.assign(new EventTarget(), {
    matches: false,
    media,
    onchange: null,
    addListener: () => {},
    removeListener: () => {}
  }) as MediaQueryList;

globalThis.requestIdleCallback ??= callback =>
  setTimeout(() => callback({ didTimeout: false, timeRemaining: () => 50 }), 0);
globalThis.cancelIdleCallback ??= handle => clearTimeout(handle);
