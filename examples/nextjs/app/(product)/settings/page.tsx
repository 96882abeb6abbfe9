import type { Metadata } from 'next';
import type { ReactNode } from 'react';

import { ApiKeys } from '@/components/settings/api-keys';
import { DeleteAccount } from '@/components/settings/delete-account';
import { Devices } from '@/components/settings/devices';
import { ProfileForm } from '@/components/settings/profile-form';
import { TwoStep } from '@/components/settings/two-step';
import { SignOutButtons } from '@/components/sign-out-buttons';
import { userOf } from '@/lib/supabase/user';

export const metadata: Metadata = { title: 'Settings' };

export default async function Settings() {
  await userOf('/settings');
  return (
    <>
      <header className="page-head">
        <h1>Settings</h1>
      </header>
      <Section id="profile" title="Profile" lead="Your name and picture.">
        <ProfileForm />
      </Section>
      <Section
        id="keys"
        title="API keys"
        lead="Keys are encrypted before they are stored and used only for your requests. A saved key cannot be displayed again."
      >
        <ApiKeys />
      </Section>
      <Section id="two-step" title="Two-step verification" lead="Ask for a code of an authenticator app when you sign in with a password or a provider.">
        <TwoStep />
      </Section>
      <Section id="devices" title="Devices" lead="Where you are signed in. Signing out a device takes effect immediately.">
        <Devices />
        <SignOutButtons />
      </Section>
      <Section id="leaving" title="Delete account" lead="Deletes your profile, status checks and API keys. This cannot be undone.">
        <DeleteAccount />
      </Section>
    </>
  );
}

function Section({ id, title, lead, children }: { id: string; title: string; lead: string; children: ReactNode }) {
  return (
    <section className="setting" aria-labelledby={`${id}-title`}>
      <div className="setting-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <p>{lead}</p>
      </div>
      <div className="setting-body">{children}</div>
    </section>
  );
}
