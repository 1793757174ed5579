// Asks the server every other second whether it is there: Gradio notices a lost one only at the next event. A server
// that was restarted knows nothing of this page, which is then opened again, and brings its visit back. One that only
// took long goes on; where it was lost while it wrote, Gradio opens the page again.

const EVERY = 1500; // ms between two looks
const PATIENCE = 3300; // ms until a server that does not answer counts as lost
const line = /** @type {HTMLElement} */ (element.querySelector(".connection"));
const page = document.documentElement;
/** The server's name for this run of it. @type {string | null} */
let first = null;

/** The run that answers, "" where it does not say; null for nobody.
 *  @returns {Promise<string | null>} */
async function run() {
  try {
    const reply = await fetch("gradio_api/app_id", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (reply.status >= 500) return null; // a proxy answers in its place
    return reply.ok ? String((await reply.json()).app_id) : "";
  } catch {
    return null;
  }
}

/** @param {string | null} now */
function noted(now) {
  if (now === null) {
    page.dataset.connection = "lost";
    line.textContent = line.dataset.text ?? "";
    return;
  }
  if (now && first && now !== first) return location.reload();
  first ||= now;
  delete page.dataset.connection;
  line.textContent = "";
}

async function look() {
  if (!element.isConnected) return;
  if (!document.hidden) noted(await run());
  setTimeout(look, EVERY);
}
void look();
