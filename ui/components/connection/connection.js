// Asks the server every other second whether it is there: Gradio notices a lost one only at the next event, and leaves
// an answer that is being written as it is. A server that was restarted knows nothing of this page, and one that was
// lost while it wrote does not go on, so that the page is then opened again, and brings its visit back.

const EVERY = 1500; // ms between two looks
const PATIENCE = 2500; // ms until a server that does not answer counts as lost
const line = /** @type {HTMLElement} */ (element.querySelector(".connection"));
const page = document.documentElement;
/** The server's name for this run of it. @type {string | null} */
let first = null;
let interrupted = false;

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
    interrupted ||= document.querySelector("#thread [aria-busy=true]") !== null;
    return;
  }
  if (interrupted || (now && first && now !== first)) return location.reload();
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
