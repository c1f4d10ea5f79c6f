// The welcome page proposes the browser's time zone. It is seen before it is saved, and nothing is
// sent unless somebody presses Save.
"use strict";

for (const field of document.querySelectorAll("select[data-first-time]")) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...field.options].some((option) => option.value === here)) field.value = here;
}
