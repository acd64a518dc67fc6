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
