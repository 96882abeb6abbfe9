'use client';

/** For what nobody thought of. The text of an error is for the log, not for the person. */
export default function Failed({ reset }: { error: Error; reset: () => void }) {
  return (
    <main id="main" className="alone">
      <h1>Something went wrong</h1>
      <p>It is our mistake, and nothing of yours is lost.</p>
      <button type="button" className="button" onClick={reset}>
        Try again
      </button>
    </main>
  );
}
