import htmx from "htmx.org";
import Alpine from "@alpinejs/csp";
import { components } from "./components.js";
import { listen } from "./keyboard.js";
import { guardForms } from "./forms.js";

window.htmx = htmx;
for (const [name, component] of Object.entries(components)) Alpine.data(name, component);
Alpine.start();
listen();
guardForms();
