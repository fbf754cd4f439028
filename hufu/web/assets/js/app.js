import htmx from "htmx.org";
import Alpine from "@alpinejs/csp";
import { components } from "./components.js";
import { listenForDrawers } from "./drawer.js";
import { guardForms } from "./forms.js";
import { listen } from "./keyboard.js";
import { listenForRequests } from "./requests.js";

window.htmx = htmx;
window.Alpine = Alpine;
for (const [name, component] of Object.entries(components)) Alpine.data(name, component);
listenForRequests();
listenForDrawers();
Alpine.start();
listen();
guardForms();
