# Why a value in an address cannot be used: filters, which several views share.
filters-not-a-choice = { $field }: there is no value “{ $value }”. Choose one of these: { $allowed }.
filters-not-a-number = { $field }: “{ $value }” cannot be used. Write a whole number from { $least } to { $most }.
filters-not-a-day = { $field }: “{ $value }” is not a valid day. Write a day from { $first } to { $last } as year-month-day, such as 2026-03-31.
filters-not-a-moment = { $field }: “{ $value }” is not a valid day. Write a day from { $first } to { $last } as year-month-day, such as 2026-03-31, or a moment, such as 2026-03-31T14:05.
filters-not-a-month = { $field }: “{ $value }” is not a valid month. Write a month from { $first } to { $last } as year-month, such as 2026-03.
filters-not-an-id = { $field }: “{ $value }” is not an id. Copy it from the address of the object's page, such as 018f4d2a-7c31-8b6e-9a40-5d2c1e0f3b77.
filters-has-nul = “{ $name }” in the address has a character that cannot be used (code 0). Leave it out.
filters-too-long = “{ $name }” in the address is too long. Write at most { $most } characters.
filters-refused = The register does not understand a value in the address. Look at the filters, or open the page again from the navigation.
filters-id = Id of the object
