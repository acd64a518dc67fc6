nav-digests = Digests
digests-title = Digests that were sent
digests-caption = Digests of the Board, the latest first
digests-total = { $count ->
    [one] { $count } digest
   *[other] { $count } digests
    }
digests-subject = Subject
digests-day = Until
digests-language = Language
digests-made = Made at
digests-sent = Sent
digests-pending = Waiting
digests-failed = Failed
digests-from = From
digests-until = Until
digests-locale-VI = Vietnamese
digests-locale-EN = English
digests-covers = This digest covers the time until { $day }; it was made at { $made }.
digests-message = See the message as it was sent
digests-deliveries = To whom it was sent
digests-to-nobody = This digest was sent to nobody.
digests-address = Address
digests-channel = Way
digests-state = State
digests-attempts = Attempts
digests-sent-at = Sent at
digests-error = Last error
digests-channel-EMAIL = Mail
digests-channel-FOLDER = Folder
digests-state-PENDING = Waiting
digests-state-SENT = Sent
digests-state-FAILED = Failed
digests-text = Text
digests-back = To the list of digests
