nav-digests = Digests
nav-digests-sent = Digests by reader
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
digests-nothing = No digest meets these conditions. Digests are made on schedule once there are subscriptions: see Subscriptions.
digests-sent-title = What digest was sent to whom
digests-sent-caption = Digests and their recipients, the latest first
digests-sent-about = Without the contents of the digests, which only their readers may open.
digests-sent-total = { $count ->
    [one] { $count } delivery
   *[other] { $count } deliveries
    }
digests-sent-nothing = No digest that meets these conditions was made. Remove some filters to see others.
digests-reader = Reader
digests-reader-before = A former reader of this address
digests-of-board = Digest of the Board
digests-lost = Not sent: the reader lost the right to it
