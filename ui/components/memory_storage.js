// Where the browser denies the page its storage, as many do in a frame on another site, reading `localStorage` throws,
// and Gradio's BrowserState leaves the page at "Loading…". Values are then kept as long as the page is open.
{
  const denied = () => {
    try {
      return !window.localStorage;
    } catch {
      return true;
    }
  };
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = {
    /** @param {string} key */
    getItem: (key) => kept.get(key) ?? null,
    /** @param {string} key @param {string} text */
    setItem: (key, text) => void kept.set(key, String(text)),
    /** @param {string} key */
    removeItem: (key) => void kept.delete(key),
  };
  if (denied()) Object.defineProperty(window, "localStorage", { value: storage });
}
