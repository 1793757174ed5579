// Lints the scripts that run in the browser, and their tests (`npm run lint`).

import js from "@eslint/js";
import globals from "globals";

const gradio = { element: "readonly", props: "readonly", trigger: "readonly", watch: "readonly" };

export default [
  { ignores: ["**/*.d.ts"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-implicit-globals": "error",
      "max-len": ["error", { code: 120 }],
    },
  },
  { files: ["ui/**/*.js"], languageOptions: { globals: { ...globals.browser, ...gradio } } },
  { files: ["tests/**/*.js", "*.js"], languageOptions: { globals: globals.node } },
];
