'use client';

/** Error boundary for unexpected errors. It does not show the error text. */
export default function Failed({ reset }: { error: Error; reset: () => void }) {
  return (
    <main id="main" className="standalone">
      <h1>Something went wrong</h1>
      <p>An unexpected error occurred. Please try again.</p>
      <button type="button" className="button" onClick={reset}>
        Try again
      </button>
    </main>
  );
}
