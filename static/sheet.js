// The page on which labels are printed: its preview follows the form. Without this the button "Update preview" does.
"use strict";

// Once the server has answered, fields show what it understood, except for the one that is being edited.
for (const form of document.querySelectorAll("form[data-preview]")) {
  const preview = document.getElementById(form.dataset.preview);
  const partsOf = (form) => [...form.querySelectorAll(".field, input[type=hidden]")];
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const isUnchanged = (input) => input.type === "radio" || input.type === "checkbox" || input.value === input.defaultValue;
  const isSame = (part, update) => part.isEqualNode(update) && [...part.querySelectorAll("input")].every(isUnchanged);

  // The focused field stays as it is; its label, hint and error are replaced.
  const updatePart = (part, update) => {
    const field = document.activeElement;
    if (!part.contains(field)) return isSame(part, update) || part.replaceWith(update);
    if (field.type === "submit") {
      part.replaceWith(update);
      return update.querySelector(`button[value="${field.value}"]`)?.focus();
    }
    const children = [...update.childNodes];
    const index = children.findIndex((child) => child.id && child.id === field.id);
    if (index < 0 || field.parentElement !== part) return;
    for (const name of ["aria-invalid", "aria-describedby", "max"]) {
      if (children[index].hasAttribute(name)) field.setAttribute(name, children[index].getAttribute(name));
      else field.removeAttribute(name);
    }
    for (const child of [...part.childNodes]) if (child !== field) child.remove();
    field.before(...children.slice(0, index));
    field.after(...children.slice(index + 1));
  };

  // Only children that differ are replaced: a button that stays keeps the focus, and a click that has begun.
  const updateChildren = (element, update) => {
    const [children, updates] = [[...element.children], [...update.children]];
    const button = document.activeElement.closest("button");
    if (children.length !== updates.length) element.replaceChildren(...update.childNodes);
    else children.forEach((child, index) => child.isEqualNode(updates[index]) || child.replaceWith(updates[index]));
    if (!button || button.isConnected) return;
    const buttons = [...element.querySelectorAll("button:enabled")];
    const isAlike = (other) => other.textContent === button.textContent;
    (buttons.find(isAlike) || buttons.find((other) => other.name === button.name) || buttons[0])?.focus();
  };

  let shownState = state();
  let timer = 0;
  let requests = 0;
  const show = async (button) => {
    clearTimeout(timer);
    const request = ++requests;
    const fields = new URLSearchParams(new FormData(form));
    if (button?.name) fields.set(button.name, button.value);
    const address = form.method === "get" ? `${form.action}?${fields}` : form.action;
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, form.method === "get" ? {} : { method: "post", body: fields });
      const update = new DOMParser().parseFromString(await answer.text(), "text/html");
      const updatedForm = update.getElementById(form.id);
      // A later request shows more.
      if (request !== requests) return;
      if (!updatedForm) return location.assign(address);
      updateChildren(preview, update.getElementById(preview.id));
      updateChildren(document.getElementById("refusal"), update.getElementById("refusal"));
      const updatedParts = partsOf(updatedForm);
      partsOf(form).forEach((part, index) => updatePart(part, updatedParts[index]));
      shownState = state();
      // The address repeats the form as it is now, and the page; a button's start is in the form already.
      const page = button?.name === "page" ? `&page=${button.value}` : "";
      if (form.method === "get") history.replaceState(history.state, "", `${form.action}?${shownState}${page}`);
    } catch {
      // The server cannot be reached at the moment: the entries stay, and the button shows their preview later.
      form.querySelector("[data-instead]").hidden = false;
    }
    preview.removeAttribute("aria-busy");
  };

  form.querySelector("[data-instead]").hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => show(), 250);
  });
  form.addEventListener("change", () => state() === shownState || show());
  form.addEventListener("submit", (event) => {
    if (!event.submitter || event.submitter.matches("[data-instead], [name=page], [name=start_on]")) {
      event.preventDefault();
      show(event.submitter);
    } else if (event.submitter.formTarget === "_blank") {
      // Back from the PDF, the first free label is another one.
      addEventListener("focus", () => show(), { once: true });
    }
  });
  preview.addEventListener("click", (event) => {
    const place = event.target.closest("a.place");
    if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    form.elements.start.value = new URL(place.getAttribute("href"), location.href).searchParams.get("start");
    show();
  });
}
