# Words of forms, which several views share.
form-missing = This is required.
form-not-a-moment = Write a day and a time, such as 2026-03-31T08:30.
form-not-a-number = Write a number, such as 4.5.
form-not-a-choice = Choose one of the values of the list.
form-refused = The register does not accept this. Correct it for this reason:
form-no-step = This can no longer be done: the data has just changed. Look at the present state below.
form-conflict = Someone has just changed the data, or its state does not allow this; nothing was stored. Look at it, then send it again.
form-yes = Yes
form-no = No
form-none = None
