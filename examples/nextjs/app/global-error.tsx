'use client';

import '@/styles/index.css';

/** The same where even the layout failed. */
export default function Failed({ reset }: { error: Error; reset: () => void }) {
  return (
    <html lang="en">
      <body>
        <main className="alone">
          <h1>Something went wrong</h1>
          <p>It is our mistake, and nothing of yours is lost.</p>
          <button type="button" className="button" onClick={reset}>
            Try again
          </button>
        </main>
      </body>
    </html>
  );
}
