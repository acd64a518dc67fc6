// What neither HTML nor htmx does. Every page works without it.
"use strict";

// Requests of htmx carry the secret of forms. Fields without a value stay out of the address of a filter.
document.addEventListener("htmx:configRequest", (event) => {
  const secret = document.querySelector('meta[name="phananh-csrf"]');
  if (secret) event.detail.headers["x-phananh-csrf"] = secret.content;
  const fields = event.detail.formData;
  for (const name of new Set(fields.keys())) {
    if (event.detail.verb === "get" && fields.getAll(name).every((value) => value === "")) fields.delete(name);
  }
});

// A refused form leads the keyboard and the screen reader to what is wrong, a change to what was done.
addEventListener("DOMContentLoaded", () => {
  const problems = document.querySelector(".problems[tabindex]");
  if (problems) problems.focus();
});

// htmx replaces the whole content, and screen readers announce only what changes within a region that stays.
document.addEventListener("htmx:afterSettle", () => {
  const found = document.querySelector("#results > p");
  document.getElementById("announced").textContent = found ? found.textContent : "";
});

// A filter that fails says why, as a page does. What is no page of this server is left to the browser.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  if (xhr.status < 400 || xhr.status === 422) return;
  if (xhr.responseText.includes('id="content"')) event.detail.shouldSwap = true;
  else location.assign(pathInfo.finalRequestPath);
});
document.addEventListener("htmx:sendError", (event) => location.assign(event.detail.pathInfo.finalRequestPath));

// A day counts once its field is left. While it is typed, each digit of the year makes another one, and a filter that
// shows its results at once would replace the field under the hands of its reader.
const typed = new WeakSet();
document.addEventListener("change", (event) => {
  if (event.target.type !== "date" || event.target !== document.activeElement) return;
  event.stopPropagation();
  typed.add(event.target);
}, true);
document.addEventListener("focusout", (event) => {
  if (typed.delete(event.target)) event.target.dispatchEvent(new Event("change", { bubbles: true }));
});

// So they do where the browser itself sends the filter.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get") return;
  const empty = [...form.elements].filter((field) => field.name && field.value === "" && !field.disabled);
  for (const field of empty) field.disabled = true;
  setTimeout(() => empty.forEach((field) => { field.disabled = false; }));
});

// A page that the browser brings back from its memory may be another reader's.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// A session that is not used ends, and what was typed is lost. Its reader is told before, and may stay. Timers stand
// still while a machine sleeps, so the time of day decides.
addEventListener("DOMContentLoaded", () => {
  const notice = document.getElementById("ends");
  if (!notice) return;
  const idle = Number(notice.dataset.idle) * 1000;
  const last = Date.now() + Number(notice.dataset.left) * 1000;
  const before = Math.min(120000, idle / 2);
  const tabs = new BroadcastChannel("phananh-session");
  let ends = Date.now() + idle;
  let shown = "";
  let field = null;

  const show = (what) => {
    // The forms of a page belong to the session in which it was loaded.
    if (what === shown || shown === "ended") return;
    shown = what;
    notice.replaceChildren(...(what ? [document.getElementById(what).content.cloneNode(true)] : []));
  };
  const look = () => {
    const now = Date.now();
    if (now >= Math.min(ends, last)) show("ended");
    else if (now >= last - before) show("ends-left");
    else show(now >= ends - before ? "ends-idle" : "");
  };
  const used = () => {
    ends = Date.now() + idle;
    look();
  };
  const usedHere = () => {
    used();
    tabs.postMessage("used");
  };
  const stay = async () => {
    const answer = await fetch("/session", { redirect: "manual", cache: "no-store" }).catch(() => null);
    if (answer?.status === 204) {
      const had = notice.contains(document.activeElement);
      usedHere();
      if (had) (field?.isConnected ? field : document.getElementById("content")).focus();
    } else if (answer?.type === "opaqueredirect") {
      show("ended");
    }
  };

  notice.addEventListener("focusin", (event) => {
    if (event.relatedTarget && !notice.contains(event.relatedTarget)) field = event.relatedTarget;
  });
  notice.addEventListener("click", (event) => {
    if (event.target.id === "stay") stay();
  });
  tabs.addEventListener("message", used);
  document.addEventListener("htmx:afterOnLoad", usedHere);
  document.addEventListener("visibilitychange", look);
  setInterval(look, 1000);
  usedHere();
});
