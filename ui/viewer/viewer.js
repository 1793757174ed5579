// The viewer: one element, one trace at a time. Joins the axis, the painter, the player and the panels to
// the controls. What a test or a program wants to know stands in data attributes of the element.

class Viewer {
  /** `root` is the template's section. `save(kind)` is called for a download, `touched({span, threshold})` when
   *  another span or token was chosen, or another threshold. `page` is a `PagePlayer` to keep together with. */
  constructor(root, { save = null, touched = () => {}, page = null } = {}) {
    Object.assign(this, { root, page });
    this.touched = () => touched({ span: this.chosen(), threshold: this.threshold });
    this.trace = null;
    this.layers = []; // what else lies over the picture; each has a `place()`
    this.router = null;
    this.player = new Player(() => this.playerChanged());
    this.hatches = new Hatches();
    const find = (selector) => root.querySelector(selector);
    const parts = "stage base over tip map play loop now total note shares own versus numbers experts help keys words link";
    for (const name of parts.split(" ")) this[name] = find(`.${name}`);
    this.slider = find(".threshold");
    this.keys.append(keyList());
    find(".exports").hidden = !save;
    for (const button of root.querySelectorAll("[data-export]")) {
      button.addEventListener("click", () => save(button.dataset.export));
    }
    this.link.addEventListener("click", () => this.copyLink());
    this.controls();
    takeKeys(this);
    takePointer(this);
    new ResizeObserver(() => this.resize()).observe(this.stage);
    const recolour = new MutationObserver(() => (root.isConnected ? this.recolour() : recolour.disconnect()));
    recolour.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  /** Show a trace, or nothing for null. */
  show(data) {
    const arrived = performance.now();
    this.player.stop();
    this.trace = data && new Trace(data);
    this.root.hidden = !data;
    for (const name of ["played", "token", "locked", "selection", "drawn", "audio"]) delete this.root.dataset[name];
    if (!data) return;
    const trace = this.trace;
    Object.assign(this, { token: -1, locked: -1, selection: null, cursor: null });
    Object.assign(this, { samples: null, against: null, leaning: null });
    this.words.hidden = true;
    this.link.hidden = !trace.link;
    this.threshold = trace.threshold;
    this.slider.value = trace.threshold;
    this.axis = new TimeAxis(trace);
    this.root.setAttribute("aria-label", trace.summary);
    this.stage.setAttribute("aria-valuemax", trace.count);
    this.stage.setAttribute("aria-valuetext", trace.words(0, trace.threshold));
    this.experts.replaceChildren(...expertPanel(trace, this.router));
    this.numbers.open = false;
    this.say("");
    this.setListen("all");
    this.total.textContent = ` / ${fixed(trace.last, 2)} s`;
    this.flagged();
    this.recolour();
    this.resize();
    this.paint();
    this.root.dataset.drawn = fixed(performance.now() - arrived, 1);
    this.player.load(bytesOf(trace.sound.opus), trace.sound.samples).then(
      () => {
        if (this.trace !== trace) return;
        this.samples = this.player.samples;
        this.root.dataset.audio = "ready";
        this.refresh();
      },
      () => this.say("This browser cannot play the clip here (Ogg Opus). The picture is complete."),
    );
  }

  /** Hold another trace against this one, or none for null. `aligned`: of the same sound, token by token. */
  compare(data, aligned) {
    const other = data && new Trace({ ...data, sound: data.sound ?? this.trace.data.sound });
    const moved = aligned ? this.trace.moved(other) : null;
    this.against = moved && { trace: other, moved };
    this.versus.hidden = !other;
    const said = other ? [otherAnswer(this.trace, other), make("p", { text: difference(this.trace, other, moved) })] : [];
    this.versus.replaceChildren(...said);
    this.root.dataset.compared = aligned ? "same sound" : other ? "other sound" : "";
    this.resize();
  }

  /** How alive the router was when the model had loaded; null while nobody knows. */
  setRouter(router) {
    this.router = router;
    if (this.trace) this.experts.replaceChildren(...expertPanel(this.trace, router));
  }

  // What the words leaned on

  /** Offer the words [{text, scores}] to choose from; a score for each token, in nats. */
  lean(words) {
    const buttons = words.map((word) => {
      const button = make("button", { type: "button", "aria-pressed": "false", text: word.text });
      button.addEventListener("click", () => this.pickWord(this.leaning?.word === word ? null : word, words));
      return button;
    });
    this.words.replaceChildren(make("span", { class: "name", text: "Leaned on by" }), ...buttons);
    this.words.hidden = !words.length;
    const most = ({ scores }) => Math.max(...scores);
    this.pickWord(words.toSorted((one, other) => most(other) - most(one))[0] ?? null, words);
  }

  /** Draw one word's lane, or none for null. All words have one scale, so that they can be compared. */
  pickWord(word, words) {
    const highest = Math.max(...words.flatMap(({ scores }) => scores.map(Math.abs)), 1e-3);
    this.leaning = word && { word, scores: word.scores, highest };
    [...this.words.querySelectorAll("button")].forEach((button, index) =>
      button.setAttribute("aria-pressed", String(words[index] === word)),
    );
    this.root.dataset.word = word?.text ?? "";
    this.resize();
  }

  // Drawing

  recolour() {
    if (!this.trace) return;
    this.palette = paletteOf(this.root);
    this.picture = spectrogram(this.trace, this.palette);
    this.refresh();
  }

  resize() {
    const width = this.stage.clientWidth;
    if (!this.trace || !width) return;
    this.plan = layout(width, { against: this.against, leaning: this.leaning });
    this.axis.place(this.plan.left, width - this.plan.left - this.plan.right);
    const ratio = window.devicePixelRatio || 1;
    this.stage.style.height = `${this.plan.height}px`;
    for (const [canvas, height] of [[this.base, this.plan.height], [this.over, this.plan.height], [this.map, 34]]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = `${height}px`;
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.refresh();
  }

  /** Draw everything, or only what moves, once before the next frame. */
  refresh() {
    this.stale = true;
    this.root.dataset.view = `${fixed(this.axis.from, 3)},${fixed(this.axis.to, 3)}`;
    this.move();
  }

  move() {
    this.frame ??= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.trace || !this.plan) return;
    if (this.stale) {
      this.stale = false;
      this.painter(this.base).draw(this);
      for (const layer of this.layers) layer.place();
    }
    const playhead = this.playhead();
    this.painter(this.over).overlay({
      token: this.locked >= 0 ? this.locked : this.token,
      locked: this.locked >= 0,
      selection: this.selection,
      playhead,
    });
    this.paintMap(playhead);
    const shown = playhead ?? this.cursor ?? this.trace.first;
    this.now.textContent = `${fixed(shown, 2)} s`;
    if (this.player.playing) this.page?.follow(playhead);
    if (this.player.playing || (playhead !== null && !this.player.paused)) {
      if (playhead > this.axis.to || playhead < this.axis.from) {
        this.axis.show(playhead, playhead + this.axis.length);
        this.stale = true;
      }
      this.move();
    }
  }

  painter(canvas) {
    return new Painter(canvas.getContext("2d"), this.trace, this.axis, this.plan, this.palette, this);
  }

  /** The whole clip small, with the part in view framed. Only while zoomed in. */
  paintMap(playhead) {
    this.map.hidden = !this.axis.zoomed;
    if (this.map.hidden) return;
    const whole = new TimeAxis(this.trace);
    whole.place(this.axis.left, this.axis.width);
    const context = this.map.getContext("2d");
    const [left, width, height] = [whole.left, whole.width, 34];
    context.fillStyle = this.palette.well;
    context.fillRect(0, 0, left + width + this.plan.right, height);
    const [start, end] = [whole.x(this.trace.first), whole.x(this.trace.last)];
    context.drawImage(this.picture, start, 0, end - start, height);
    const [from, to] = [whole.x(this.axis.from), whole.x(this.axis.to)];
    context.fillStyle = this.palette.veil;
    context.fillRect(left, 0, from - left, height);
    context.fillRect(to, 0, left + width - to, height);
    context.strokeStyle = this.palette.accent;
    context.lineWidth = 2;
    context.strokeRect(from + 1, 1, Math.max(to - from - 2, 2), height - 2);
    if (playhead !== null) {
      context.fillStyle = this.palette.accent;
      context.fillRect(whole.x(playhead) - 1, 0, 2, height);
    }
  }

  // Tokens

  /** Point at a token; a locked one stays until it is let go. */
  point(index, sound = null, x = null, y = null) {
    if (this.locked >= 0 && index !== this.locked) return;
    this.token = index;
    if (index < 0) delete this.root.dataset.token;
    else this.root.dataset.token = index;
    this.describe(sound, x, y);
    this.move();
  }

  lock(index) {
    this.locked = -1;
    this.point(index);
    this.locked = index;
    this.root.dataset.locked = index;
    this.touched();
  }

  /** The span that was dragged or, without one, the locked token's; null for neither. */
  chosen() {
    if (this.selection) return this.selection;
    const { start, end } = this.trace.tokens;
    return this.locked >= 0 ? [start[this.locked], end[this.locked]] : null;
  }

  /** Let go of the token and the span, and be quiet. */
  release() {
    this.player.stop();
    this.locked = -1;
    this.selection = null;
    delete this.root.dataset.locked;
    delete this.root.dataset.selection;
    this.point(-1);
    this.touched();
  }

  /** Tooltip and what a screen reader says. */
  describe(sound, x, y) {
    this.tip.hidden = this.token < 0;
    if (this.token < 0) return;
    const { start, end } = this.trace.tokens;
    this.tip.replaceChildren(...tipOf(this, this.token, sound));
    this.stage.setAttribute("aria-valuenow", this.token + 1);
    this.stage.setAttribute("aria-valuetext", this.trace.words(this.token, this.threshold));
    this.placeTip(x ?? this.axis.x((start[this.token] + end[this.token]) / 2), y ?? this.plan.lanes.sound.top + 12);
  }

  placeTip(x, y) {
    const room = this.stage.clientWidth;
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const left = x + 18 + width <= room ? x + 18 : x - 18 - width;
    this.tip.style.left = `${clamp(left, 0, Math.max(0, room - width))}px`;
    this.tip.style.top = `${clamp(y - height / 2, 0, Math.max(0, this.plan.height - height))}px`;
  }

  step(count) {
    const from = this.locked >= 0 ? this.locked : this.token;
    this.goTo(from < 0 ? (count > 0 ? 0 : this.trace.count - 1) : from + count);
  }

  goTo(index) {
    index = clamp(index, 0, this.trace.count - 1);
    const { start, end } = this.trace.tokens;
    this.axis.reveal(start[index], end[index]);
    this.lock(index);
    this.refresh();
  }

  playToken(index) {
    this.playSpans([[this.trace.tokens.start[index], this.trace.tokens.end[index]]], false);
  }

  // Playing

  /** Where the viewer or, while it is silent, the page's player plays, in seconds of the clip; or null. */
  playhead() {
    const position = this.player.position();
    if (position !== null) return position + this.trace.first;
    const outside = this.page?.position() ?? null;
    return outside !== null && outside >= this.trace.first && outside <= this.trace.last ? outside : null;
  }

  /** The spans that "Listen to" leaves of the selection or, without one, of all that was heard. */
  spans() {
    const [from, to] = this.selection ?? [this.trace.first, this.trace.last];
    if (this.listen === "all") return [[from, to]];
    return this.trace.runs(this.listen === "redundant", this.threshold, from, to);
  }

  playSpans(spans, loop, at = null) {
    const first = this.trace.first;
    const options = { loop, at: at === null ? null : at - first };
    const seconds = this.player.play(spans.map(([start, end]) => [start - first, end - first]), options);
    if (!seconds) {
      this.say(this.samples ? `Nothing to play: no token here is ${this.listen}.` : "The audio is not ready yet.");
      return;
    }
    this.say("");
    this.root.dataset.played = JSON.stringify(spans.map((span) => span.map((time) => Number(fixed(time, 4)))));
    this.move();
  }

  toggle() {
    if (this.player.playing) this.player.pause();
    else if (this.player.paused) this.player.resume();
    else this.playSpans(this.spans(), this.looping);
    this.move();
  }

  get looping() {
    return this.loop.getAttribute("aria-pressed") === "true";
  }

  playerChanged() {
    const { playing } = this.player;
    if (playing) this.page?.quiet();
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.play.classList.toggle("on", playing);
    this.root.dataset.playing = playing;
    this.move();
  }

  /** What is heard follows the threshold and "Listen to" while it plays. */
  replan() {
    const at = this.playhead();
    if (this.player.playing) this.playSpans(this.spans(), this.looping, at);
    else this.player.stop();
  }

  setListen(which) {
    this.listen = which;
    for (const button of this.root.querySelectorAll("[data-listen]")) {
      button.setAttribute("aria-pressed", String(button.dataset.listen === which));
    }
  }

  // Redundancy

  /** Count again after the threshold has moved. */
  flagged() {
    const { kept, redundant } = this.trace.split(this.threshold);
    const total = kept.seconds + redundant.seconds;
    const side = (name, { tokens, seconds }) =>
      `${name} ${percent(seconds / total)}, ${tokens} tokens, ${fixed(seconds, 1)} s`;
    this.shares.replaceChildren(
      make("b", { class: "value", text: fixed(this.threshold, 2) }),
      make("span", { class: "kept", text: side("kept", kept) }),
      make("span", { class: "dropped", text: side("redundant", redundant) }),
      make("span", { class: "hint", text: `scored under ${this.trace.supervision}` }),
    );
    this.slider.setAttribute("aria-valuetext", [...this.shares.children].map((part) => part.textContent).join(", "));
    this.own.hidden = this.threshold === this.trace.threshold;
    this.root.dataset.threshold = this.threshold;
    this.root.dataset.redundant = redundant.tokens;
    if (this.numbers.open) this.fillTable();
  }

  setThreshold(value) {
    this.threshold = value;
    this.flagged();
    if (this.token >= 0) this.describe(null, null, null);
    if (this.listen !== "all") this.replan();
    this.refresh();
    this.touched();
  }

  fillTable() {
    this.numbers.querySelector(".sheet").replaceChildren(tableOf(this.trace, this.threshold));
  }

  say(text) {
    this.note.textContent = text;
  }

  // Controls

  controls() {
    this.play.addEventListener("click", () => this.toggle());
    this.loop.addEventListener("click", () => this.toggleLoop());
    this.help.addEventListener("click", () => this.toggleKeys());
    this.slider.addEventListener("input", () => this.setThreshold(Number(this.slider.value)));
    this.own.addEventListener("click", () => {
      this.slider.value = this.trace.threshold;
      this.setThreshold(this.trace.threshold);
    });
    this.numbers.addEventListener("toggle", () => this.numbers.open && this.fillTable());
    for (const button of this.root.querySelectorAll("[data-listen]")) {
      button.addEventListener("click", () => {
        this.setListen(button.dataset.listen);
        this.replan();
      });
    }
    for (const button of this.root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.zoomBy(button.dataset.zoom));
    }
  }

  /** Put the answer's link in the address bar and, where the browser lets us, on the clipboard. */
  copyLink() {
    const link = new URL(this.trace.link, location.href);
    history.replaceState(null, "", link);
    const shown = "The link to this answer is in the address bar";
    const copied = navigator.clipboard?.writeText(link.href) ?? Promise.reject();
    copied.then(
      () => this.say(`${shown} and on the clipboard.`),
      () => this.say(`${shown}.`),
    );
  }

  toggleLoop() {
    this.loop.setAttribute("aria-pressed", String(!this.looping));
    this.player.setLoop(this.looping);
  }

  toggleKeys() {
    this.keys.hidden = !this.keys.hidden;
    this.help.setAttribute("aria-expanded", String(!this.keys.hidden));
  }

  zoomBy(way) {
    const middle = this.locked >= 0 ? this.trace.tokens.start[this.locked] : undefined;
    if (way === "fit") this.axis.fit();
    else this.axis.zoom(way === "in" ? 2 : 0.5, middle);
    this.refresh();
  }

  pan(seconds) {
    this.axis.pan(seconds);
    this.refresh();
  }

  // What the pointer does

  hover(x, y) {
    const { sound } = this.plan.lanes;
    this.cursor = this.axis.time(clamp(x, this.axis.left, this.axis.left + this.axis.width));
    const index = this.trace.at(this.cursor);
    if (index < 0 && this.locked < 0) this.say(this.beyond(this.cursor));
    else if (!this.player.playing) this.say("");
    const inside = y >= sound.top && y < sound.bottom;
    this.point(index, inside && index >= 0 ? this.level(this.cursor, y) : null, x, y);
  }

  leave() {
    this.cursor = null;
    if (this.locked < 0) this.point(-1);
    this.move();
  }

  /** Frequency and level under the pointer. */
  level(time, y) {
    const { hertz, rate, low, high } = this.trace.sound;
    const band = bandAt(hertz, y, this.plan.lanes.sound);
    const frame = clamp(Math.floor((time - this.trace.first) * rate), 0, this.trace.frames - 1);
    const decibels = low + (this.trace.mel[band * this.trace.frames + frame] / 255) * (high - low);
    return `${Math.round(hertz[band])} Hz, ${Math.round(decibels)} dB`;
  }

  beyond(time) {
    const { last, paddedEnd, heard } = this.trace;
    if (time >= last && time < paddedEnd) {
      return `Padding: silence that fills up the model's last window, ${fixed(paddedEnd - last, 2)} s.`;
    }
    return time < heard.duration ? "Not heard: the model was not given this part of the clip." : "";
  }

  click(x) {
    this.selection = null;
    delete this.root.dataset.selection;
    const index = this.trace.at(this.axis.time(x));
    if (index < 0) return this.release();
    this.lock(index);
    this.playToken(index);
  }

  select(one, other) {
    const times = [one, other].map((x) => clamp(this.axis.time(x), this.trace.first, this.trace.last));
    this.locked = -1;
    delete this.root.dataset.locked;
    this.point(-1);
    this.setSpan(times.sort((a, b) => a - b));
  }

  /** Let the span begin or end with the token that is pointed at, which stays so. */
  mark(edge) {
    const index = this.locked >= 0 ? this.locked : this.token;
    if (index < 0) return this.say("Choose a token with the arrow keys first.");
    const [start, end] = [this.trace.tokens.start[index], this.trace.tokens.end[index]];
    const [from, to] = this.selection ?? [start, end];
    this.setSpan(edge === "start" ? [start, Math.max(to, end)] : [Math.min(from, start), end]);
  }

  setSpan(span) {
    this.selection = span;
    this.root.dataset.selection = span.map((time) => fixed(time, 3)).join(",");
    this.player.stop();
    this.touched();
    this.say(`Span ${span.map((time) => fixed(time, 2)).join("–")} s`);
    this.move();
  }
}
