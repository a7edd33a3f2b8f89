// Before the first paint, and apart from the page so that the content policy needs no exception for it.
try {
  var chosen = localStorage.getItem("boxscore-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch (_) {
  // storage is closed to us: the system's choice holds
}
