// What neither HTML nor htmx does. Every page works without it.
"use strict";

// Requests of htmx carry the secret of forms.
document.addEventListener("htmx:configRequest", (event) => {
  const secret = document.querySelector('meta[name="phananh-csrf"]');
  if (secret) event.detail.headers["x-phananh-csrf"] = secret.content;
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

// Fields without a value stay out of the address of a filter.
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
