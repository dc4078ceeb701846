application = 'a text'
