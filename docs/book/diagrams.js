// Draws the Mermaid diagrams in the colours of the theme.
for (const code of document.querySelectorAll('code.language-mermaid')) {
  const diagram = document.createElement('pre');
  diagram.className = 'mermaid';
  diagram.textContent = code.textContent;
  code.closest('pre').replaceWith(diagram);
}
const isDark = ['coal', 'navy', 'ayu'].some((theme) => document.documentElement.classList.contains(theme));
mermaid.initialize({ startOnLoad: true, theme: isDark ? 'dark' : 'default' });
